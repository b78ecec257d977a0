"""HeyGen's account and catalogue: who is signed in, avatars with their looks, voices with a sound to hear."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from providers.emulator.vendor import Route, route
from providers.emulator.vendors.heygen_files import Refused, good
from providers.emulator.vendors.heygen_scenes import ScenesVendor
from providers.emulator.wire import Answer, Call

LOOKS = ("Ada", "Bela", "Cleo")
VOICES = (
    ("voice-en-1", "Clear", "English", "female"),
    ("voice-de-1", "Klar", "German", "male"),
    ("voice-es-1", "Claro", "Spanish", "female"),
)
PREVIEW = "Slow mornings taste better"


class CatalogueVendor(ScenesVendor):
    """`/v3/users/me`, `/v3/avatars…`, `/v3/voices`, and the sounds that voices are heard by."""

    def catalogue_routes(self) -> list[Route]:
        guarded = self.guarded
        return [
            route("GET", "/v3/users/me", "account", guarded(self._me)),
            route("GET", "/v3/avatars", "catalogue", guarded(self._avatars)),
            route("GET", "/v3/avatars/looks", "catalogue", guarded(self._looks)),
            route("GET", "/v3/voices", "catalogue", guarded(self._voices)),
            route("GET", "/previews/{voice}.wav", "fetch", self._preview),
        ]

    def _me(self, call: Call, account: str) -> Answer:
        spent = sum((task.cost for task in self.world.store.newest(self.name, account) if task.billed), Decimal(0))
        wallet = {"currency": "usd", "remaining_balance": float(10_000 - spent), "auto_reload": None}
        person = {"username": "emulator", "email": "emulator@example.com", "first_name": "Emulated"}
        return good({**person, "last_name": "Account", "billing_type": "wallet", "wallet": wallet})

    def _avatars(self, call: Call, account: str) -> Answer:
        """One group for every look."""
        groups = [
            {"id": f"group-{name.lower()}", "name": name, "looks_count": 1, "status": "completed"} for name in LOOKS
        ]
        return page_of(call, groups, 50)

    def _looks(self, call: Call, account: str) -> Answer:
        looks = [
            {
                "id": f"look-{name.lower()}",
                "name": name,
                "avatar_type": "studio_avatar",
                "group_id": f"group-{name.lower()}",
                "default_voice_id": "voice-en-1",
                "preview_image_url": f"https://files.heygen.ai/look-{name.lower()}.jpg",
                "preview_video_url": None,
                "supported_api_engines": ["avatar_iii", "avatar_iv"],
                "status": "completed",
                "preferred_orientation": "landscape",
                "image_width": 1920,
                "image_height": 1080,
                "tags": [],
            }
            for name in LOOKS
            if call.query.get("group_id", "") in ("", f"group-{name.lower()}")
        ]
        return page_of(call, looks, 50)

    def voices_known(self, origin: str) -> list[dict[str, Any]]:
        """Every voice with the address of its sound."""
        return [
            {
                "voice_id": voice,
                "name": name,
                "language": language,
                "gender": gender,
                "type": "public",
                "preview_audio_url": f"{origin}/{self.name}/previews/{voice}.wav",
                "support_pause": True,
                "support_locale": False,
            }
            for voice, name, language, gender in VOICES
        ]

    def _voices(self, call: Call, account: str) -> Answer:
        wanted = {name: call.query[name].lower() for name in ("language", "gender", "type") if call.query.get(name)}
        known = self.voices_known(call.origin)
        return page_of(call, [v for v in known if all(str(v[n]).lower() == text for n, text in wanted.items())], 100)

    def _preview(self, call: Call, voice: str) -> Answer:
        if voice not in {known for known, *_ in VOICES}:
            return self.not_found(call)
        plan = self.speech_plan({"text": PREVIEW, "voice": voice, "speed": 1.0})
        return Answer(media=plan, media_type=plan.media_type)


def page_of(call: Call, items: Sequence[Any], most: int) -> Answer:
    """One page of a list by ``limit`` and ``token``."""
    limit, start = int(call.query.get("limit") or min(most, 50)), int(call.query.get("token") or 0)
    if not 1 <= limit <= most:
        raise Refused(400, "invalid_parameter", f"limit must be from 1 to {most}", "limit")
    more = len(items) > start + limit
    page = list(items[start : start + limit])
    return Answer.of_json({"data": page, "has_more": more, "next_token": str(start + limit) if more else None})
