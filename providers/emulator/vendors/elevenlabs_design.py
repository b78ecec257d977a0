"""ElevenLabs' voices made from words: previews of a description, and a voice of the account from one of them.

Written from the official client's calls and answer types (2026-11). The lengths that are allowed, the price and the
codes of refusals are guesses; the three previews of an answer share one sound, only their ids differ.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.emulator.media.sound import Speech
from providers.emulator.vendor import Route, route
from providers.emulator.vendors.elevenlabs_calls import missing, plan_of
from providers.emulator.vendors.elevenlabs_rules import MEDIA_TYPES, Refused, check_format
from providers.emulator.vendors.elevenlabs_voices import PREVIEW, VoicesVendor
from providers.emulator.wire import Answer, Call

MODELS = ("eleven_multilingual_ttv_v2", "eleven_ttv_v3")
PREVIEWS = 3
DESCRIPTION, TEXT = (20, 1000), (100, 1000)
SECONDS = 6.0
PRICE_A_THOUSAND = Decimal("0.10")


class DesignVendor(VoicesVendor):
    """`/v1/text-to-voice…`."""

    def design_routes(self) -> list[Route]:
        guarded, root = self.guarded, "/v1/text-to-voice"
        return [
            route("POST", f"{root}/(?:design|create-previews)", "submit", guarded(self._design)),
            route("POST", f"{root}/{{voice}}/remix", "submit", guarded(self._remix)),
            route("GET", f"{root}/{{generated}}/stream", "fetch", guarded(self._heard_preview)),
            route("POST", root, "upload", guarded(self._make)),
        ]

    def _design(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if body.get("model_id") not in (None, *MODELS):
            raise Refused(400, "unsupported_model", f"model_id must be one of {', '.join(MODELS)}")
        return self._previews(call, account, body)

    def _remix(self, call: Call, account: str, voice: str) -> Answer:
        """Previews of one of the account's own voices as it is described anew."""
        self._own(account, voice)
        return self._previews(call, account, call.json if isinstance(call.json, dict) else {})

    def _previews(self, call: Call, account: str, body: Mapping[str, Any]) -> Answer:
        description = _within(body, "voice_description", DESCRIPTION)
        text = _within(body, "text", TEXT) if body.get("text") else ""
        if not text and not body.get("auto_generate_text"):
            raise missing("text")
        text = text or f"{PREVIEW}. " * 5
        codec, rate = check_format(call.query)
        ids = [self.new_id() for _ in range(PREVIEWS)]
        for generated in ids:
            self._keep_preview(account, generated, description)
        speech = Speech(" ".join(text.split()), ids[0], seconds=SECONDS)
        streamed, media_type = bool(body.get("stream_previews")), MEDIA_TYPES.get(codec, "audio/basic")

        def wrap(data: bytes) -> bytes:
            sound = "" if streamed else base64.b64encode(data).decode()
            facts = {"audio_base_64": sound, "media_type": media_type, "duration_secs": SECONDS, "language": "en"}
            previews = [{**facts, "generated_voice_id": generated} for generated in ids]
            return json.dumps({"previews": previews, "text": text}).encode()

        answer = Answer(media=plan_of(replace(speech, rate=rate), codec), wrap=wrap)
        cost = PRICE_A_THOUSAND * len(text) / 1000
        return self.charged(answer, call, account, "eleven_ttv_v3", len(text), cost)

    def _heard_preview(self, call: Call, account: str, generated: str) -> Answer:
        self._preview_of(account, generated)
        plan = plan_of(Speech(PREVIEW, generated, seconds=SECONDS))
        return Answer(media=plan, media_type=plan.media_type)

    def _make(self, call: Call, account: str) -> Answer:
        """A preview becomes a voice of the account, under the same id."""
        body = call.json if isinstance(call.json, dict) else {}
        for name in ("voice_name", "voice_description", "generated_voice_id"):
            if not body.get(name):
                raise missing(name)
        generated = str(body["generated_voice_id"])
        self._preview_of(account, generated)
        view = self._new(account, str(body["voice_name"]), "generated", body.get("labels"), voice=generated)
        self._write(account, {**view, "description": str(body["voice_description"])})
        return Answer.of_json(self._heard(self._voice_of(account, generated), call.origin))

    # -- kept beside the log ---------------------------------------------------------------------------------

    def _preview_path(self, account: str, generated: str) -> Path:
        name = generated if re.fullmatch("[A-Za-z0-9]+", generated) else "none"
        return self.world.folder / "elevenlabs-previews" / account / f"{name}.json"

    def _keep_preview(self, account: str, generated: str, description: str) -> None:
        path = self._preview_path(account, generated)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"description": description}))

    def _preview_of(self, account: str, generated: str) -> None:
        if not self._preview_path(account, generated).exists():
            raise Refused(404, "generated_voice_not_found", f"There is no preview {generated}")


def _within(body: Mapping[str, Any], name: str, lengths: tuple[int, int]) -> str:
    text, (least, most) = str(body.get(name) or ""), lengths
    if not text:
        raise missing(name)
    if not least <= len(text) <= most:
        raise Refused(400, f"invalid_{name}", f"{name} must have {least} to {most} characters")
    return text
