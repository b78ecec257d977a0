"""The Gemini API: models, text, files, interactions, and Veo in the shape that it had until 2026-10-22."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.vendor import Route, route
from providers.emulator.vendors.gemini_files import GeminiFiles
from providers.emulator.vendors.gemini_interactions import OMNI_SECONDS, InteractionsVendor
from providers.emulator.vendors.gemini_text import PRICES
from providers.emulator.vendors.google import Refused, google_error
from providers.emulator.wire import Answer, Call

VERSION = "/(?:v1|v1beta|v1alpha)"
NO_KEY = (
    "Method doesn't allow unauthenticated callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)


class GeminiVendor(InteractionsVendor, GeminiFiles):
    """`/v1beta/models/{model}:generateContent`, `:predictLongRunning`, operations, files."""

    name = "gemini"
    label = "Veo on the Gemini API"
    models = {
        "veo-3.1-generate-preview": "generate",
        "veo-3.1-fast-generate-preview": "fast",
        "veo-3.1-lite-generate-preview": "lite",
    }

    def routes(self) -> list[Route]:
        model, talk = VERSION + "/models/{model}", VERSION + "/interactions/{interaction}"
        return [
            route("POST", f"{model}:generateContent", "submit", self._guarded(self._generate)),
            route("POST", f"{model}:streamGenerateContent", "submit", self._guarded(self._stream)),
            route("POST", f"{model}:countTokens", "account", self._guarded(self._count)),
            route("POST", f"{model}:predictLongRunning", "submit", self._guarded(self._submit)),
            route("GET", f"{model}/operations/{{task_id}}", "poll", self._guarded(self._operation)),
            route("POST", f"{VERSION}/interactions", "submit", self._guarded(self.interact)),
            route("GET", talk, "poll", self._guarded(self.read_interaction)),
            route("DELETE", talk, "cancel", self._guarded(self.delete_interaction)),
            route(
                "POST",
                f"{talk}/cancel",
                "cancel",
                self._guarded(self.cancel_interaction),
            ),
            route("POST", f"/upload{VERSION}/files", "upload", self._guarded(self._start_upload)),
            route("POST", "/upload/place/{upload}", "upload", self._finish_upload),
            route("GET", VERSION + "/files/(?P<file>[^/]+:download)", "fetch", self._guarded(self._file)),
            route("GET", VERSION + "/files", "upload", self._guarded(self._list_files)),
            route("GET", VERSION + "/files/{file}", "upload", self._guarded(self._about_file)),
            route("DELETE", VERSION + "/files/{file}", "upload", self._guarded(self._delete_file)),
            route("GET", f"{VERSION}/models", "account", self._guarded(self._list)),
            route("GET", model, "account", self._guarded(self._model)),
        ]

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            key = call.headers.get("x-goog-api-key", "") or call.query.get("key", "") or call.bearer()
            account = account_of(key)
            if not key:
                return google_error(403, NO_KEY)
            if not account:
                return _bad_key()
            try:
                return work(call, account, **groups)
            except Refused as error:
                return google_error(error.status, error.message)

        return handler

    def new_id(self) -> str:
        return "".join(random.SystemRandom().choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12))

    def _list(self, call: Call, account: str) -> Answer:
        names = [*PRICES, *self.models, *OMNI_SECONDS]
        size, start = int(call.query.get("pageSize") or 50), int(call.query.get("pageToken") or 0)
        page = [_model_view(name, name in PRICES) for name in names[start : start + size]]
        more = {"nextPageToken": str(start + size)} if start + size < len(names) else {}
        return Answer.of_json({"models": page, **more})

    def _model(self, call: Call, account: str, model: str) -> Answer:
        if model not in {*PRICES, *self.models, *OMNI_SECONDS}:
            raise Refused(404, f"models/{model} is not found for API version v1beta.")
        return Answer.of_json(_model_view(model, model in PRICES))

    # -- Veo, as it was --------------------------------------------------------------------------------------

    def _submit(self, call: Call, account: str, model: str) -> Answer:
        task = self.accept(call, self.draft(call.json, model, account, may_be_silent=False))
        return Answer.of_json({"name": f"models/{model}/operations/{task.id}"}).noting(self.bill(task))

    def _operation(self, call: Call, account: str, model: str, task_id: str) -> Answer:
        task = self.world.store.get(self.name, task_id)
        if task is None or task.account != account:
            raise Refused(404, "The operation was not found.")
        name, phase = f"models/{model}/operations/{task_id}", task.phase(self.world.now())
        if phase in ("queued", "running"):
            return Answer.of_json({"name": name})
        if phase == "failed":
            return Answer.of_json({"name": name, "done": True, "error": {"code": 13, "message": "Internal error."}})
        # Clients rewrite any https address of this form to their own base.
        uri = f"https://generativelanguage.googleapis.com/v1beta/files/{task_id}:download?alt=media"
        samples = {"generatedSamples": [{"video": {"uri": uri}}]}
        response = {"generateVideoResponse": self.filtered() if phase == "refused" else samples}
        return Answer.of_json({"name": name, "done": True, "response": response})

    def _file(self, call: Call, account: str, file: str) -> Answer:
        task = self.world.store.get(self.name, file.partition(":")[0])
        plan = self.media(task, 0) if task is not None and task.account == account else None
        if plan is None:
            raise Refused(404, "The file was not found.")
        return Answer(media=plan, media_type="video/mp4")


def _model_view(name: str, is_text: bool) -> dict[str, Any]:
    methods = ["generateContent", "countTokens"] if is_text else ["predictLongRunning"]
    limits = {"inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536}
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods, **limits}


def _bad_key() -> Answer:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    message = "API key not valid. Please pass a valid API key."
    error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": [info]}
    return Answer.of_json({"error": error}, 400)
