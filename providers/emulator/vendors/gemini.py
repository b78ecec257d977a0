"""The Gemini API: ``generateContent`` with JSON of a schema, and Veo in the shape that it had until 2026-10-22.

Field names are accepted in camelCase and snake_case, as Google's own clients mix them.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.plans import sample
from providers.emulator.vendor import Draft, Route, route
from providers.emulator.vendors.google import GoogleVendor, Refused, google_error
from providers.emulator.wire import Answer, Call

VERSION = "/(?:v1|v1beta)"
PRICES = {
    "gemini-3.8-flash": ("0.75", "3.75"),
    "gemini-4-argon": ("4", "20"),
    "gemini-3.6-flash": ("1.50", "7.50"),
    "gemini-3.5-flash-lite": ("0.30", "2.50"),
}
THINKING_TOKENS = 64


class GeminiVendor(GoogleVendor):
    """`/v1beta/models/{model}:generateContent`, `:predictLongRunning`, operations, files."""

    name = "gemini"
    label = "Veo on the Gemini API"
    models = {
        "veo-3.1-generate-preview": "generate",
        "veo-3.1-fast-generate-preview": "fast",
        "veo-3.1-lite-generate-preview": "lite",
    }

    def routes(self) -> list[Route]:
        model = VERSION + "/models/{model}"
        return [
            route("POST", f"{model}:generateContent", "submit", self._guarded(self._generate)),
            route("POST", f"{model}:predictLongRunning", "submit", self._guarded(self._submit)),
            route("GET", f"{model}/operations/{{task_id}}", "poll", self._guarded(self._operation)),
            route("GET", VERSION + "/files/{file}", "fetch", self._guarded(self._file)),
            route("GET", f"{VERSION}/models", "account", self._guarded(self._list)),
            route("GET", model, "account", self._guarded(self._model)),
        ]

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.headers.get("x-goog-api-key", "") or call.query.get("key", ""))
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
        names = [*PRICES, *self.models]
        return Answer.of_json({"models": [{"name": f"models/{name}", "displayName": name} for name in names]})

    def _model(self, call: Call, account: str, model: str) -> Answer:
        if model not in PRICES and model not in self.models:
            raise Refused(404, f"models/{model} is not found for API version v1beta.")
        return Answer.of_json({"name": f"models/{model}", "displayName": model})

    # -- text ------------------------------------------------------------------------------------------------

    def _generate(self, call: Call, account: str, model: str) -> Answer:
        if model not in PRICES:
            raise Refused(404, f"models/{model} is not found for API version v1beta.")
        body = _camel(call.json)
        if not isinstance(body, dict) or not body.get("contents"):
            raise Refused(400, "* GenerateContentRequest.contents: contents is not specified")
        prompt = " ".join(str(part.get("text", "")) for item in body["contents"] for part in item.get("parts", []))
        config = body.get("generationConfig") or {}
        # The schema's own names must stay as they were given.
        given = call.json.get("generationConfig") or call.json.get("generation_config") or {}
        schema = given.get("responseJsonSchema") or given.get("response_json_schema")
        if schema and config.get("responseMimeType") != "application/json":
            raise Refused(400, "responseJsonSchema needs responseMimeType application/json")
        if call.fault and call.fault.do is Trouble.REFUSE_AT_END:
            return Answer.of_json({"promptFeedback": {"blockReason": "SAFETY", "safetyRatings": []}})
        text = json.dumps(sample(schema, prompt)) if schema else f"A plan for: {prompt[:200]}"
        return self._answer(call, account, model, prompt, text)

    def _answer(self, call: Call, account: str, model: str, prompt: str, text: str) -> Answer:
        read, written = max(1, len(prompt) // 4), max(1, len(text) // 4)
        price_in, price_out = (Decimal(price) for price in PRICES[model])
        cost = (price_in * read + price_out * (written + THINKING_TOKENS)) / 1_000_000
        draft = Draft(
            account=account, kind="text", model=model, params={}, cost=cost, currency="USD", queue_s=0, render_s=0
        )
        task = self.accept(call, draft)
        candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP"}
        usage = {
            "promptTokenCount": read,
            "candidatesTokenCount": written,
            "thoughtsTokenCount": THINKING_TOKENS,
            "totalTokenCount": read + written + THINKING_TOKENS,
        }
        told = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": task.id}
        return Answer.of_json(told).noting(self.bill(task))

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
        if plan is None or not file.endswith(":download"):
            raise Refused(404, "The file was not found.")
        return Answer(media=plan, media_type="video/mp4")


def _bad_key() -> Answer:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    message = "API key not valid. Please pass a valid API key."
    error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": [info]}
    return Answer.of_json({"error": error}, 400)


def _camel(value: Any) -> Any:
    """Names in camelCase at every level."""
    if isinstance(value, Mapping):
        return {re.sub(r"_([a-z])", lambda match: match[1].upper(), key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list) else value
