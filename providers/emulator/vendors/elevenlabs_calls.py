"""What all of ElevenLabs' addresses share: signing in, charging a call, sound in the asked format."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.sound import Speech, render_speech
from providers.emulator.vendor import Draft, MediaPlan, Vendor
from providers.emulator.vendors.elevenlabs_rules import MEDIA_TYPES, Refused, check_format, error, field_error
from providers.emulator.wire import Answer, Call, Part


class CallingVendor(Vendor):
    """The frame of `/v1/…` and `/v2/…` calls with the key in ``xi-api-key``."""

    def server_error(self, status: int) -> Answer:
        return error(status, "internal_server_error", "An unexpected error occurred")

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = error(429, "too_many_concurrent_requests", "Too many concurrent requests")
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return error(200, "internal_server_error", "An unexpected error occurred")

    def not_found(self, call: Call) -> Answer:
        return Answer.of_json({"detail": "Not Found"}, 404)

    def wrong_method(self, call: Call, methods: list[str]) -> Answer:
        return Answer.of_json({"detail": "Method Not Allowed"}, 405, Allow=", ".join(methods))

    def malformed(self, call: Call, words: str) -> Answer:
        return field_error("", words, "value_error")

    def new_id(self) -> str:
        return "".join(random.SystemRandom().choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=20))

    def guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        def handler(call: Call, **groups: str) -> Answer:
            key = call.headers.get("xi-api-key", "") or call.bearer()
            account = account_of(key)
            if not key:
                words = "Neither authorization header nor xi-api-key received, please provide one."
                return error(401, "needs_authorization", words)
            if not account:
                return error(401, "invalid_api_key", "Invalid API key")
            try:
                if call.fault and call.fault.do is Trouble.REFUSE_AT_END and "dubbing" not in call.path:
                    raise Refused(400, "content_against_policy", "The text violates our terms of service")
                return work(call, account, **groups)
            except Refused as refused:
                if refused.code == "missing":
                    return field_error(refused.message, "Field required")
                return error(refused.status, refused.code, refused.message)

        return handler

    def charged(
        self,
        answer: Answer,
        call: Call,
        account: str,
        model: str,
        characters: int,
        cost: Decimal,
        speech: Speech | None = None,
    ) -> Answer:
        """Record a call that is paid the moment it is answered; ``speech`` is kept for the account's history."""
        said = {"text": speech.text, "voice": speech.voice, "speed": speech.speed} if speech else {}
        draft = Draft(
            account=account,
            kind="call",
            model=model,
            params={"characters": characters, **said},
            cost=cost,
            currency="USD",
            queue_s=0,
            render_s=0,
        )
        task = self.accept(call, draft)
        answer.headers |= {
            "request-id": task.id,
            "character-cost": str(characters),
            "history-item-id": task.id,
        }
        return answer.noting(self.bill(task))


def missing(field: str) -> Refused:
    return Refused(422, "missing", field)


def required_part(call: Call, name: str) -> Part:
    part = call.multipart().get(name)
    if part is None or not part.data:
        raise missing(name)
    return part


def plan_of(speech: Speech, codec: str = "mp3") -> MediaPlan:
    return MediaPlan(f"{speech.key()}.{codec}", MEDIA_TYPES.get(codec, "audio/basic"), partial(render_speech, speech))


def sound_answer(speech: Speech, call: Call) -> Answer:
    """The sound in the format that the query asks for."""
    codec, rate = check_format(call.query)
    plan = plan_of(replace(speech, rate=rate), codec)
    return Answer(media=plan, media_type=plan.media_type)
