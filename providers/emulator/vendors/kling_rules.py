"""Kling's limits, prices, error codes and checks of what is asked, as its reference has them (2026-11)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from providers.emulator.accounts import TEST_ACCESS_KEY, TEST_SECRET_KEY, account_of
from providers.emulator.wire import Call

UNIT_USD = Decimal("0.14")
PARALLEL = 20
RATIOS = {"16:9": 16 / 9, "9:16": 9 / 16, "1:1": 1.0}
LINES = {"720p": 720, "1080p": 1080, "4k": 2160}
CODES = {
    1000: (401, "Authentication failed"),
    1001: (401, "Authorization is empty"),
    1002: (401, "Authorization is invalid"),
    1003: (401, "Authorization is not yet valid"),
    1004: (401, "Authorization has expired"),
    1101: (429, "Account in arrears"),
    1102: (429, "Resource pack exhausted or expired"),
    1200: (400, "Invalid request parameters"),
    1201: (400, "Invalid parameter"),
    1202: (404, "The requested method is invalid"),
    1203: (404, "The requested resource does not exist"),
    1301: (400, "Failure to pass the content safety policy"),
    1302: (429, "Requests are too fast"),
    1303: (429, "parallel task over resource pack limit"),
    5000: (500, "Internal server error"),
    5001: (503, "Service is under maintenance"),
    5002: (504, "Internal timeout"),
}


@dataclass(frozen=True, slots=True)
class Model:
    """Limits and list price a second in US dollars; ``sound`` is the price with native audio."""

    durations: frozenset[int]
    price: Mapping[str, str]
    sound: Mapping[str, str]
    prompt_limit: int
    render_s: float


SHORT_OR_LONG = frozenset({5, 10})
NEW_MODELS = {
    "kling-3.0": Model(
        frozenset(range(3, 16)),
        {"720p": "0.084", "1080p": "0.112", "4k": "0.42"},
        {"720p": "0.126", "1080p": "0.168", "4k": "0.42"},
        3072,
        22,
    ),
    "kling-3.0-turbo": Model(frozenset(range(3, 16)), {"720p": "0.112", "1080p": "0.14"}, {}, 3072, 9),
    "kling-2.6": Model(SHORT_OR_LONG, {"720p": "0.042", "1080p": "0.07"}, {"1080p": "0.14"}, 2500, 18),
    "kling-2.5-turbo": Model(SHORT_OR_LONG, {"720p": "0.042", "1080p": "0.07"}, {}, 2500, 10),
}
OMNI_MODELS = {
    "kling-3.0-omni": Model(
        frozenset(range(3, 16)),
        {"720p": "0.084", "1080p": "0.112", "4k": "0.42"},
        {"720p": "0.112", "1080p": "0.14", "4k": "0.42"},
        3072,
        24,
    ),
    "kling-o1": Model(frozenset(range(3, 11)), {"720p": "0.084", "1080p": "0.112"}, {}, 2500, 24),
}
LEGACY_MODELS = {
    "kling-v1": "0.028 0.098",
    "kling-v1-5": "0.056 0.098",
    "kling-v1-6": "0.056 0.098",
    "kling-v2-master": "0.28 0.28",
    "kling-v2-1": "0.056 0.098",
    "kling-v2-1-master": "0.28 0.28",
    "kling-v2-5-turbo": "0.042 0.07",
    "kling-v2-6": "0.042 0.07",
    "kling-v3": "0.084 0.112",
}


LEGACY_SOUND = {"kling-v2-6": NEW_MODELS["kling-2.6"].sound, "kling-v3": NEW_MODELS["kling-3.0"].sound}


class Refused(Exception):
    """A validation failure: the service code and its words."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code, self.message = code, message


def json_object(call: Call) -> dict[str, Any]:
    if not isinstance(call.json, dict):
        raise Refused(1200, "the body is not a JSON object")
    return call.json


def part_of(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise Refused(1201, f"{name} must be an object")
    return value


def required_text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(1201, f"{name} is required")
    return value


def check_prompt(prompt: str, limit: int) -> None:
    if len(prompt) > limit:
        raise Refused(1201, f"prompt is longer than {limit} characters")
    if "[forbidden]" in prompt:
        raise Refused(1301)


def read_contents(body: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Prompt and pictures of the ``contents`` list."""
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise Refused(1201, "contents is required")
    prompt, pictures = "", {}
    for item in contents:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "prompt":
            prompt = str(item.get("text") or "")
        elif kind in ("first_frame", "last_frame"):
            pictures[kind] = str(item.get("url") or "")
        elif kind != "element":
            raise Refused(1201, f"contents: unknown type {kind}")
    if "last_frame" in pictures and "first_frame" not in pictures:
        raise Refused(1201, "last_frame needs first_frame")
    if not pictures:
        raise Refused(1201, "contents needs a first_frame")
    return prompt, pictures


def read_settings(settings: Mapping[str, Any], facts: Model, model: str, kind: str) -> dict[str, Any]:
    resolution, duration = settings.get("resolution", "720p"), settings.get("duration", 5)
    audio, ratio = settings.get("audio", "off"), settings.get("aspect_ratio", "16:9")
    if resolution not in facts.price:
        raise Refused(1201, f"resolution {resolution} is not supported by {model}")
    if not isinstance(duration, int) or isinstance(duration, bool) or duration not in facts.durations:
        raise Refused(1201, f"duration {duration!r} is not supported by {model}")
    if audio not in ("off", "native") or (audio == "native" and resolution not in facts.sound):
        raise Refused(1201, f"audio {audio} is not supported by {model} at {resolution}")
    if ratio not in RATIOS:
        raise Refused(1201, f"aspect_ratio {ratio} is not supported")
    unknown = set(settings) - {"resolution", "duration", "audio", "aspect_ratio", "multi_shot"}
    if unknown:
        raise Refused(1201, f"settings: unknown key {sorted(unknown)[0]}")
    shape = {} if kind == "image-to-video" else {"ratio": ratio}
    return {"resolution": resolution, "duration": duration, "audio": audio, **shape}


def read_legacy(body: Mapping[str, Any], model: str, kind: str) -> dict[str, Any]:
    duration = body.get("duration", "5")
    allowed = [str(value) for value in (range(3, 16) if model == "kling-v3" else (5, 10))]
    if not isinstance(duration, str) or duration not in allowed:
        raise Refused(1201, f"duration must be one of the strings {', '.join(allowed)}")
    mode, ratio = body.get("mode", "std"), body.get("aspect_ratio", "16:9")
    if mode not in ("std", "pro", "4k") or (mode == "4k" and model != "kling-v3"):
        raise Refused(1201, f"mode {mode} is not supported by {model}")
    if ratio not in RATIOS:
        raise Refused(1201, f"aspect_ratio {ratio} is not supported")
    prompt = required_text(body, "prompt") if kind == "text2video" else str(body.get("prompt") or "")
    check_prompt(prompt, 2500)
    check_prompt(str(body.get("negative_prompt") or ""), 2500)
    shape = {"ratio": ratio} if kind == "text2video" else {}
    resolution = {"std": "720p", "pro": "1080p", "4k": "4k"}[mode]
    audio = {"off": "off", "on": "native"}.get(str(body.get("sound", "off")))
    if audio is None or (audio == "native" and resolution not in LEGACY_SOUND.get(model, {})):
        raise Refused(1201, f"sound {body.get('sound')} is not supported by {model} with mode {mode}")
    scale = body.get("cfg_scale", 0.5)
    if not isinstance(scale, int | float) or not 0 <= scale <= 1:
        raise Refused(1201, "cfg_scale must be from 0 to 1")
    return {"prompt": prompt, "resolution": resolution, "duration": int(duration), "audio": audio, **shape}


def account_of_jwt(token: str, now: float) -> str:
    """The account of an HS256 token made with the emulator's access and secret key."""
    head, payload, signature = token.split(".")
    try:
        header, claims = (json.loads(_unpad(part)) for part in (head, payload))
    except ValueError as error:
        raise Refused(1002) from error
    wanted = hmac.new(TEST_SECRET_KEY.encode(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
    signed = hmac.compare_digest(_unpad(signature), wanted)
    if header.get("alg") != "HS256" or claims.get("iss") != TEST_ACCESS_KEY or not signed:
        raise Refused(1000)
    if claims.get("nbf", 0) > now:
        raise Refused(1003)
    if claims.get("exp", 0) <= now:
        raise Refused(1004)
    return account_of(TEST_ACCESS_KEY)


def _unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
