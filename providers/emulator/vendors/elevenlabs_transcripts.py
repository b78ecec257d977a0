"""ElevenLabs' transcripts: at once, in further forms, or later by the workspace's webhook; read again, removed."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.emulator.media.sound import Speech
from providers.emulator.store import StoredTask, StoredWebhook
from providers.emulator.vendor import Delivery, Draft, Route, route
from providers.emulator.vendors.elevenlabs_calls import CallingVendor, missing
from providers.emulator.vendors.elevenlabs_rules import SCRIPT, Refused
from providers.emulator.wire import Answer, Call, Part

KIND = "transcript"
LATER_S = 5
FORMS = {"srt": "application/x-subrip", "txt": "text/plain", "segmented_json": "application/json"}
GRANULARITIES = ("none", "word", "character")


class TranscriptsVendor(CallingVendor):
    """`/v1/speech-to-text…`, `/v1/workspace/webhooks`."""

    def transcript_routes(self) -> list[Route]:
        guarded, one = self.guarded, "/v1/speech-to-text/transcripts/{task_id}"
        hooks = "/v1/workspace/webhooks"
        return [
            route("POST", "/v1/speech-to-text", "submit", guarded(self._transcribe)),
            route("GET", one, "poll", guarded(self._read_again)),
            route("DELETE", one, "cancel", guarded(self._forget_transcript)),
            route("GET", hooks, "webhooks", guarded(self._workspace_hooks)),
            route("POST", hooks, "webhooks", guarded(self._add_workspace_hook)),
            route("DELETE", f"{hooks}/{{webhook_id}}", "webhooks", guarded(self._drop_workspace_hook)),
        ]

    def _transcribe(self, call: Call, account: str) -> Answer:
        parts = call.multipart()
        if not {"file", "source_url", "cloud_storage_url"} & set(parts):
            raise missing("file")
        model = _text(parts, "model_id")
        if not model.startswith("scribe_"):
            raise Refused(400, "unsupported_model", "model_id must be a scribe model")
        grain = _text(parts, "timestamps_granularity") or "word"
        if grain not in GRANULARITIES:
            raise Refused(422, "invalid_parameters", f"timestamps_granularity must be one of {GRANULARITIES}")
        forms = json.loads(_text(parts, "additional_formats") or "[]")
        later = _text(parts, "webhook").lower() == "true"
        if later and not self._hooks_of(account):
            raise Refused(400, "no_webhook_configured", "No webhook of this workspace is configured")
        shown = {"grain": grain, "diarize": _text(parts, "diarize").lower() == "true", "forms": forms}
        about = {"metadata": _text(parts, "webhook_metadata"), "characters": 0, "later": later}
        draft = Draft(
            account=account,
            kind=KIND,
            model=model,
            params={**shown, **about},
            cost=Decimal("0.001"),
            currency="USD",
            queue_s=0,
            render_s=LATER_S if later else 0,
        )
        transcript = None if later else _transcript(draft.params)
        task = self.accept(call, draft)
        note = self.bill(task)
        if transcript is not None:
            return Answer.of_json({**transcript, "transcription_id": task.id}).noting(note)
        for hook in self._hooks_of(account):
            self.world.store.plan_webhook(self.name, task.id, hook["webhook_id"], task.ends)
        words = {"message": "Request processed successfully", "request_id": task.id, "transcription_id": task.id}
        return Answer.of_json(words, 202).noting(note)

    def _transcript_of(self, account: str, task_id: str) -> StoredTask:
        task = self.world.store.get(self.name, task_id)
        ready = task is not None and task.phase(self.world.now()) == "succeeded"
        if task is None or task.account != account or task.kind != KIND or not ready:
            raise Refused(404, "transcript_not_found", "The transcript was not found")
        return task

    def _read_again(self, call: Call, account: str, task_id: str) -> Answer:
        task = self._transcript_of(account, task_id)
        return Answer.of_json({**_transcript(task.params), "transcription_id": task.id})

    def _forget_transcript(self, call: Call, account: str, task_id: str) -> Answer:
        self.world.store.cancel(self._transcript_of(account, task_id), self.world.now())
        return Answer.of_json({"status": "ok"})

    # -- webhooks --------------------------------------------------------------------------------------------

    def _hooks_path(self, account: str) -> Path:
        return self.world.folder / "elevenlabs-webhooks" / f"{account}.json"

    def _hooks_of(self, account: str) -> list[dict[str, Any]]:
        path = self._hooks_path(account)
        found: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
        return found

    def _keep_hooks(self, account: str, hooks: list[dict[str, Any]]) -> None:
        path = self._hooks_path(account)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(hooks))

    def _workspace_hooks(self, call: Call, account: str) -> Answer:
        hidden = [{name: hook[name] for name in hook if name != "secret"} for hook in self._hooks_of(account)]
        return Answer.of_json({"webhooks": hidden})

    def _add_workspace_hook(self, call: Call, account: str) -> Answer:
        asked = call.json.get("settings") if isinstance(call.json, dict) else None
        if not isinstance(asked, dict) or not asked.get("name") or not asked.get("webhook_url"):
            raise missing("settings")
        hook = {
            "name": str(asked["name"]),
            "webhook_id": self.new_id(),
            "webhook_url": str(asked["webhook_url"]),
            "is_disabled": False,
            "is_auto_disabled": False,
            "created_at_unix": int(self.world.now()),
            "auth_type": "hmac",
            "secret": f"wsec_{secrets.token_hex(32)}",
        }
        self._keep_hooks(account, [*self._hooks_of(account), hook])
        return Answer.of_json({"webhook_id": hook["webhook_id"], "webhook_secret": hook["secret"]})

    def _drop_workspace_hook(self, call: Call, account: str, webhook_id: str) -> Answer:
        hooks = self._hooks_of(account)
        if webhook_id not in {hook["webhook_id"] for hook in hooks}:
            raise Refused(404, "webhook_not_found", "The webhook was not found")
        self._keep_hooks(account, [hook for hook in hooks if hook["webhook_id"] != webhook_id])
        return Answer.of_json({"status": "ok"})

    def webhook(self, task: StoredTask, hook: StoredWebhook, now: float) -> Delivery | None:
        """A finished transcript for one of the workspace's endpoints, signed with its secret."""
        found = [kept for kept in self._hooks_of(task.account) if kept["webhook_id"] == hook.moment]
        if not found or task.phase(now) != "succeeded":
            return None
        transcript = {**_transcript(task.params), "transcription_id": task.id}
        kept = task.params["metadata"]
        told = {"request_id": task.id, "transcription": transcript, "webhook_metadata": json.loads(kept or "null")}
        event = {"type": "speech_to_text_transcription", "event_timestamp": int(now), "data": told}
        body, moment = json.dumps(event).encode(), int(now)
        signed = hmac.new(found[0]["secret"].encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        signature = f"t={moment},v0={'0' * 64 if hook.trouble == 'forged' else signed}"
        headers = {"Content-Type": "application/json", "ElevenLabs-Signature": signature}
        return Delivery(found[0]["webhook_url"], headers, body)


def _text(parts: dict[str, Part], name: str) -> str:
    return parts[name].data.decode() if name in parts else ""


def _transcript(params: Any) -> dict[str, Any]:
    """Words and the gaps between them, as finely timed as was asked, in the further forms that were asked."""
    speaker = "speaker_0" if params["diarize"] else None
    words: list[dict[str, Any]] = []
    for index, (word, start, end) in enumerate(Speech(SCRIPT).word_times()):
        if index:
            gap = {"text": " ", "start": words[-1]["end"], "end": start, "type": "spacing"}
            words.append({**gap, "speaker_id": speaker, "logprob": 0.0})
        words.append({"text": word, "start": start, "end": end, "type": "word", "speaker_id": speaker, "logprob": -0.1})
    length = words[-1]["end"]
    if params["grain"] == "character":
        words = [{**word, "characters": _characters(word)} for word in words]
    if params["grain"] == "none":
        words = [{**word, "start": None, "end": None} for word in words]
    told: dict[str, Any] = {"language_code": "eng", "language_probability": 0.99, "text": SCRIPT, "words": words}
    told["audio_duration_secs"] = length
    if params["forms"]:
        told["additional_formats"] = [_form(str(item.get("format")), length) for item in params["forms"]]
    return told


def _characters(word: dict[str, Any]) -> list[dict[str, Any]]:
    step = (word["end"] - word["start"]) / max(1, len(word["text"]))
    at = [round(word["start"] + number * step, 3) for number in range(len(word["text"]) + 1)]
    return [{"text": sign, "start": at[n], "end": at[n + 1]} for n, sign in enumerate(word["text"])]


def _form(name: str, length: float) -> dict[str, Any]:
    if name not in FORMS:
        raise Refused(422, "invalid_parameters", f"additional_formats: {name} is not one of {tuple(FORMS)}")
    whole = round(length * 1000)
    stamp = f"00:00:{whole // 1000:02d},{whole % 1000:03d}"
    contents = {
        "srt": f"1\n00:00:00,000 --> {stamp}\n{SCRIPT}\n",
        "txt": SCRIPT,
        "segmented_json": json.dumps({"segments": [{"text": SCRIPT, "start": 0.0, "end": length}]}),
    }
    kind = {"requested_format": name, "file_extension": name.partition("_")[2] or name, "content_type": FORMS[name]}
    return {**kind, "is_base64_encoded": False, "content": contents[name]}
