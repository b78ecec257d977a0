"""Vertex AI's Veo: OAuth tokens, operations fetched by POST, bytes inline or in a bucket of the caller."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Route, route
from providers.emulator.vendors.gemini_interactions import InteractionsVendor
from providers.emulator.vendors.gemini_text import PRICES
from providers.emulator.vendors.google import Refused, google_error
from providers.emulator.wire import Answer, Call

PLACE = "/projects/{project}/locations/{location}/publishers/google/models/{model}"


class VertexVendor(InteractionsVendor):
    """`/v1` and `/v1beta1`: Veo's two calls, `:generateContent`; `/token`; `/storage/v1`."""

    name = "vertex"
    label = "Veo on Vertex AI"
    keeps_encoded_slashes = True  # objects of a bucket are named with slashes
    models = {
        "veo-3.1-generate-001": "generate",
        "veo-3.1-fast-generate-001": "fast",
        "veo-3.1-lite-generate-001": "lite",
    }

    def routes(self) -> list[Route]:
        found = [route("POST", "/token", "token", self._token)]
        for version in ("/v1", "/v1beta1"):
            talks = f"{version}/projects/{{project}}/locations/{{location}}/interactions"
            one = f"{talks}/{{interaction}}"
            found += [
                route("POST", talks, "submit", self._guarded(self.interact)),
                route("GET", one, "poll", self._guarded(self.read_interaction)),
                route("DELETE", one, "cancel", self._guarded(self.delete_interaction)),
                route("POST", f"{one}/cancel", "cancel", self._guarded(self.cancel_interaction)),
                route("POST", f"{version}{PLACE}:predictLongRunning", "submit", self._guarded(self._submit)),
                route("POST", f"{version}{PLACE}:generateContent", "submit", self._guarded(self._generate)),
                route("POST", f"{version}{PLACE}:streamGenerateContent", "submit", self._guarded(self._stream)),
                route("POST", f"{version}{PLACE}:countTokens", "account", self._guarded(self._count)),
                route("POST", f"{version}{PLACE}:fetchPredictOperation", "poll", self._guarded(self._fetch)),
                route("GET", f"{version}/publishers/google/models/{{model}}", "account", self._guarded(self._model)),
            ]
        return [*found, route("GET", "/storage/v1/b/{bucket}/o/{item}", "fetch", self._guarded(self._object))]

    def _guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            account = account_of(call.bearer())
            if not account:
                return google_error(401, "Request had invalid authentication credentials.")
            try:
                return work(call, account, **groups)
            except Refused as error:
                return google_error(error.status, error.message)

        return handler

    def _token(self, call: Call) -> Answer:
        """Any well-formed assertion signs in; the account is who issued it."""
        form = dict(pair.partition("=")[::2] for pair in call.body.decode().split("&"))
        try:
            claims = json.loads(base64.urlsafe_b64decode(form["assertion"].split(".")[1] + "=="))
        except (KeyError, IndexError, ValueError):
            return Answer.of_json({"error": "invalid_grant", "error_description": "Invalid JWT."}, 400)
        issuer = str(claims.get("iss") or "")
        if not account_of(issuer) or claims.get("exp", 0) < self.world.now():
            return Answer.of_json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        return Answer.of_json({"access_token": f"ya29.{issuer}", "expires_in": 3599, "token_type": "Bearer"})

    def _model(self, call: Call, account: str, model: str) -> Answer:
        if model not in self.models and model not in PRICES:
            raise Refused(404, f"Publisher Model `{model}` was not found.")
        return Answer.of_json({"name": f"publishers/google/models/{model}", "launchStage": "GA"})

    def _submit(self, call: Call, account: str, project: str, location: str, model: str) -> Answer:
        label = str(((call.json or {}).get("labels") or {}).get("attempt") or "")
        draft = self.draft(call.json, model, account, may_be_silent=True, label=label)
        place = PLACE.format(project=project, location=location, model=model).lstrip("/")
        task = self.accept(call, draft)
        note = self.bill(task)
        note.idempotency_key = label
        return Answer.of_json({"name": f"{place}/operations/{task.id}"}).noting(note)

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def _fetch(self, call: Call, account: str, project: str, location: str, model: str) -> Answer:
        name = str((call.json or {}).get("operationName") or "")
        task = self.world.store.get(self.name, name.rpartition("/")[2])
        if task is None or task.account != account:
            raise Refused(404, f"Operation {name} was not found.")
        phase = task.phase(self.world.now())
        unknown = bool(call.fault and call.fault.do is Trouble.UNKNOWN_STATE)
        if phase in ("queued", "running") or unknown:
            return Answer.of_json({"name": name})
        if phase == "failed":
            return Answer.of_json({"name": name, "done": True, "error": {"code": 13, "message": "Internal error."}})
        kind = "type.googleapis.com/cloud.ai.large_models.vision.GenerateVideoResponse"
        if phase == "refused":
            return Answer.of_json({"name": name, "done": True, "response": {"@type": kind, **self.filtered()}})
        return self._finished(name, task, {"@type": kind, "raiMediaFilteredCount": 0})

    def _finished(self, name: str, task: StoredTask, response: dict[str, Any]) -> Answer:
        storage = task.params["storage"]
        if storage:
            root = f"{storage.rstrip('/')}/{task.id}"
            count = task.params["samples"]
            videos = [{"gcsUri": f"{root}/sample_{n}.mp4", "mimeType": "video/mp4"} for n in range(count)]
            return Answer.of_json({"name": name, "done": True, "response": {**response, "videos": videos}})

        def wrap(data: bytes) -> bytes:
            video = {"bytesBase64Encoded": base64.b64encode(data).decode(), "mimeType": "video/mp4"}
            videos = [video] * task.params["samples"]
            return json.dumps({"name": name, "done": True, "response": {**response, "videos": videos}}).encode()

        return Answer(media=self.clip_plan(task), wrap=wrap)

    def _object(self, call: Call, account: str, bucket: str, item: str) -> Answer:
        parts = unquote(item).split("/")
        task = self.world.store.get(self.name, parts[-2]) if len(parts) > 1 else None
        if task is None or task.account != account or call.query.get("alt") != "media":
            raise Refused(404, f"No such object: {bucket}/{unquote(item)}")
        plan = self.media(task, 0)
        if plan is None:
            raise Refused(404, "No such object")
        return Answer(media=plan, media_type="video/mp4")
