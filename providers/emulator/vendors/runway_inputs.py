"""What RunwayML's calls are given: prompts, pictures, films and sounds, checked, kept and turned into facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from providers.emulator.inputs import Film, picture_size, read_film, sound_seconds
from providers.emulator.vendor import Vendor, decode_base64, even
from providers.emulator.vendors import runway_rules as rules
from providers.emulator.vendors.runway_rules import invalid

DATA_LIMIT = 5_242_880
LARGEST = 200_000_000  # pixels


class InputsVendor(Vendor):
    """The facts of a task by endpoint."""

    def params_of(self, body: Mapping[str, Any], model: str, facts: rules.Model, endpoint: str) -> dict[str, Any]:
        prompt, seed = rules.check_prompt(body, facts), rules.check_seed(body)
        common: dict[str, Any] = {"prompt": prompt, "seed": seed, "audio": False, "medium": "video"}
        if endpoint in (rules.TEXT, rules.IMAGE):
            clip = rules.check_clip(body, facts, endpoint)
            picture = {"picture": self._frames(body.get("promptImage"))} if endpoint == rules.IMAGE else {}
            return {**common, **clip, **picture}
        if endpoint in (rules.RESTYLE, rules.UPSCALE):
            return {**common, **self._film_params(body, model, endpoint)}
        if endpoint == rules.AVATAR:
            speaking = {"duration": body["seconds"], "picture": body["picture"], "size": "1280:720"}
            return {**common, **speaking, "audio": True}
        if endpoint == rules.PERFORM:
            return {**common, **self._performance(body, facts)}
        if endpoint == rules.PICTURE:
            return {**common, **self._still(body, model, facts)}
        if endpoint == rules.HDR:
            film = self._film(body.get("videoUri"), "videoUri")
            size = rules.size_for(film.width / film.height, min(film.width, film.height))
            return {**common, "duration": film.seconds, "picture": film.picture, "size": size}
        if endpoint in rules.FROM_SOUND:
            return {**common, **self._changed_sound(body, endpoint)}
        if endpoint == rules.LARGER:
            return {**common, **self._larger(body)}
        if endpoint == rules.SPEECH and not isinstance(body.get("voice"), dict):
            raise invalid("voice", "required")
        if endpoint == rules.FILM_SOUND:
            self._film(body.get("videoUri"), "videoUri")
        seconds = float(body.get("duration") or max(1.0, len(prompt.split()) * 0.4))
        if not 0.5 <= seconds <= 600:
            raise invalid("duration", "0.5 to 30 seconds are expected")
        return {**common, "medium": "sound", "size": "2:2", "duration": seconds}

    def _film_params(self, body: Mapping[str, Any], model: str, endpoint: str) -> dict[str, Any]:
        film = self._film(body.get("videoUri"), "videoUri")
        values = {"duration": film.seconds, "picture": film.picture, "audio": False}
        if endpoint == rules.UPSCALE:
            return {**values, **rules.upscaled(body, model, film.width, film.height)}
        aspect = body.get("targetAspectRatio")
        if aspect is not None and aspect not in rules.ASPECTS:
            raise invalid("targetAspectRatio", f"expected one of {sorted(rules.ASPECTS)}")
        shape = rules.ASPECTS[aspect] if aspect else film.width / film.height
        return {**values, "size": rules.size_for(shape, 720)}

    def _changed_sound(self, body: Mapping[str, Any], endpoint: str) -> dict[str, Any]:
        """Another voice, another language or the voice alone: as long as what was given."""
        if endpoint == rules.CHANGE:
            media = body.get("media")
            if not isinstance(media, dict) or media.get("type") not in ("audio", "video"):
                raise invalid("media", "an object with type audio or video and uri is expected")
            if not isinstance(body.get("voice"), dict):
                raise invalid("voice", "required")
            name = self._uri(media.get("uri"), "media.uri", str(media["type"]))
        else:
            name = self._uri(body.get("audioUri"), "audioUri", "audio")
        if endpoint == rules.DUB and body.get("targetLang") not in rules.LANGUAGES:
            raise invalid("targetLang", f"expected one of {sorted(rules.LANGUAGES)}")
        said = f"{endpoint} {body.get('targetLang') or ''}".strip()
        return {"medium": "sound", "size": "2:2", "duration": sound_seconds(self.world, name), "prompt": said}

    def _larger(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A picture 2 to 16 times as large; a picture that is not opened counts as 1280 by 720."""
        factor = body.get("scaleFactor", 2)
        if factor not in (2, 4, 8, 16):
            raise invalid("scaleFactor", "expected one of 2, 4, 8, 16")
        name = self._uri(body.get("imageUri"), "imageUri", "image")
        width, height = (picture_size(self.world.input_path(name)) if name else None) or (1280, 720)
        if width * height * factor**2 > LARGEST:
            raise invalid("scaleFactor", "the result would be too large")
        size = f"{even(width * factor)}:{even(height * factor)}"
        return {"medium": "image", "size": size, "duration": 1, "picture": name}

    def _performance(self, body: Mapping[str, Any], facts: rules.Model) -> dict[str, Any]:
        character, reference = body.get("character"), body.get("reference")
        if not isinstance(character, dict) or character.get("type") not in ("image", "video"):
            raise invalid("character", "an object with type image or video and uri is expected")
        if not isinstance(reference, dict) or reference.get("type") != "video":
            raise invalid("reference", "an object with type video and uri is expected")
        ratio = body.get("ratio", "1280:720")
        if ratio not in facts.ratios[rules.PERFORM]:
            raise invalid("ratio", f"expected one of {sorted(facts.ratios[rules.PERFORM])}")
        film = self._film(reference.get("uri"), "reference.uri")
        is_image = character["type"] == "image"
        picture = self._uri(character.get("uri"), "character.uri", "image") if is_image else ""
        return {"size": ratio, "duration": film.seconds, "picture": picture, "audio": True}

    def _still(self, body: Mapping[str, Any], model: str, facts: rules.Model) -> dict[str, Any]:
        ratio, given = body.get("ratio"), body.get("referenceImages") or []
        if ratio not in facts.ratios[rules.PICTURE]:
            raise invalid("ratio", f"expected one of {sorted(facts.ratios[rules.PICTURE])}")
        if not isinstance(given, list) or len(given) > 3 or (not given and model == "gen4_image_turbo"):
            raise invalid("referenceImages", "up to 3 reference images are expected")
        kept = [self._uri(item.get("uri"), "referenceImages", "image") for item in given]
        return {"medium": "image", "size": ratio, "duration": 1, "picture": next(iter(kept), "")}

    def _frames(self, given: Any) -> str:
        """The first frame, alone or in a list with a last one."""
        if not isinstance(given, list):
            return self._uri(given, "promptImage", "image")
        frames = {item.get("position"): self._uri(item.get("uri"), "promptImage", "image") for item in given}
        if "first" not in frames or set(frames) - {"first", "last"}:
            raise invalid("promptImage", "positions are first and last, and first is required")
        return frames["first"]

    def _film(self, given: Any, field: str) -> Film:
        return read_film(self.world, self._uri(given, field, "video"))

    def given_file(self, given: Any, field: str, kind: str) -> str:
        """The same for what is no task: the picture of an avatar, what it says."""
        return self._uri(given, field, kind)

    def _uri(self, given: Any, field: str, kind: str) -> str:
        """The kept file of a data URI or an upload; an https address is not opened and has an empty name."""
        if not isinstance(given, str) or not given:
            raise invalid(field, "required")
        if given.startswith(f"data:{kind}/"):
            data = decode_base64(given)
            if data is None or len(given) > DATA_LIMIT:
                raise invalid(field, "Invalid data URI")
            return self._checked(self.world.save_input(data), field, kind)
        if given.startswith("runway://"):
            return self._checked(given.removeprefix("runway://"), field, kind)
        if not given.startswith("https://"):
            raise invalid(field, "Only HTTPS URLs are allowed")
        return ""

    def _checked(self, name: str, field: str, kind: str) -> str:
        path = self.world.input_path(name)
        if not re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", name) or not path.exists():
            raise invalid(field, "the upload does not exist or has expired")
        if kind == "image":
            size = picture_size(path)
            if size is None or not 0.5 <= size[0] / size[1] <= 2:
                raise invalid(field, "the image cannot be read or its width/height is not between 0.5 and 2")
        return name
