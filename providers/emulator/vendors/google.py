"""What Vertex AI and the Gemini API share on the wire: error bodies, prompts and pictures of Veo, filtering.

Written from the official SDKs' request types and the public reference (2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan, Vendor, decode_base64, even
from providers.emulator.wire import Answer, Call

LINES = {"360p": 360, "720p": 720, "1080p": 1080, "4k": 2160}
STATUS_OF_CODE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# Dollars a second by resolution: silent, with sound.
PRICES = {
    "generate": {"720p": ("0.20", "0.40"), "1080p": ("0.20", "0.40"), "4k": ("0.40", "0.60")},
    "fast": {"720p": ("0.08", "0.10"), "1080p": ("0.10", "0.12")},
    "lite": {"720p": ("0.03", "0.05"), "1080p": ("0.05", "0.08")},
}
RENDER_S = {"generate": 14.0, "fast": 7.0, "lite": 6.0}
FILTERED = "The prompt could not be submitted. It violates our usage guidelines. Support codes: 64151117"


class Refused(Exception):
    """A Google error: HTTP status and words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def google_error(status: int, message: str, *, http: int = 0, retry_s: float | None = None) -> Answer:
    """The error envelope of Google's APIs."""
    error: dict[str, Any] = {"code": status, "message": message, "status": STATUS_OF_CODE.get(status, "UNKNOWN")}
    if retry_s is not None:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_s:g}s"}]
    return Answer.of_json({"error": error}, http or status)


class GoogleVendor(Vendor):
    """The parts of a Veo vendor that do not depend on the surface."""

    models: Mapping[str, str]
    label = "Google"

    def server_error(self, status: int) -> Answer:
        return google_error(status, "Internal error encountered.")

    def rate_limited(self, retry_after: float | None) -> Answer:
        return google_error(429, "Quota exceeded for requests per minute.", retry_s=retry_after)

    def error_in_ok(self) -> Answer:
        return google_error(500, "Internal error encountered.", http=200)

    def not_found(self, call: Call) -> Answer:
        return google_error(404, "The requested URL was not found on this server.")

    def malformed(self, call: Call, words: str) -> Answer:
        return google_error(400, words)

    def draft(self, body: Any, model: str, account: str, *, may_be_silent: bool, label: str = "") -> Draft:
        """Check a ``:predictLongRunning`` body as the service does and price it."""
        tier = self.models.get(model)
        if tier is None:
            raise Refused(404, f"Publisher Model `{model}` was not found or is no longer available.")
        if not isinstance(body, dict) or not body.get("instances"):
            raise Refused(400, "instances is required.")
        instance, parameters = body["instances"][0], body.get("parameters") or {}
        params = self._parameters(parameters, tier, may_be_silent)
        params |= {"prompt": str(instance.get("prompt") or ""), **self._pictures(instance, params)}
        if not params["prompt"] and "picture" not in params:
            raise Refused(400, "prompt is required.")
        if "[forbidden]" in params["prompt"]:
            raise Refused(400, FILTERED)
        silent, sound = PRICES[tier][params["resolution"]]
        price = Decimal(sound if params["audio"] else silent)
        return Draft(
            account=account,
            kind="video",
            model=model,
            params={**params, "label": label},
            cost=price * params["duration"] * params["samples"],
            currency="USD",
            queue_s=5,
            render_s=RENDER_S[tier] * params["duration"],
        )

    @staticmethod
    def _parameters(parameters: Mapping[str, Any], tier: str, may_be_silent: bool) -> dict[str, Any]:
        duration, ratio = parameters.get("durationSeconds", 8), parameters.get("aspectRatio", "16:9")
        resolution = parameters.get("resolution", "720p")
        if str(duration) not in ("4", "6", "8"):
            raise Refused(400, f"durationSeconds {duration} is not supported; use 4, 6 or 8.")
        if ratio not in ("16:9", "9:16"):
            raise Refused(400, f"aspectRatio {ratio} is not supported.")
        if resolution not in PRICES[tier]:
            raise Refused(400, f"resolution {resolution} is not supported by this model.")
        samples = int(parameters.get("sampleCount") or 1)
        if not 1 <= samples <= (4 if may_be_silent else 1):
            raise Refused(400, f"sampleCount {samples} is not supported.")
        audio = bool(parameters.get("generateAudio", True)) if may_be_silent else True
        return {
            "duration": int(duration),
            "ratio": ratio,
            "resolution": resolution,
            "audio": audio,
            "samples": samples,
            "seed": parameters.get("seed", 0),
            "storage": str(parameters.get("storageUri") or ""),
        }

    def _pictures(self, instance: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
        if instance.get("lastFrame") and not instance.get("image"):
            raise Refused(400, "lastFrame needs image.")
        references = instance.get("referenceImages") or []
        if len(references) > 3 or (references and params["duration"] != 8):
            raise Refused(400, "At most 3 reference images are allowed, in 8 seconds only.")
        image = instance.get("image") or {}
        inline = image.get("inlineData") or {}
        text = image.get("bytesBase64Encoded") or inline.get("data") or ""
        if not text:
            return {}
        data = decode_base64(text)
        if data is None:
            raise Refused(400, "Invalid value at 'instances[0].image' (Base64 decoding failed).")
        return {"picture": self.world.save_input(data)}

    def clip_plan(self, task: StoredTask) -> MediaPlan:
        """The clip of a finished task."""
        params, lines = task.params, LINES[task.params["resolution"]]
        wide, tall = even(lines * 16 / 9), lines
        width, height = (wide, tall) if params["ratio"] == "16:9" else (tall, wide)
        picture = params.get("picture", "")
        clip = Clip(
            model=f"{self.label} {task.model}",
            prompt=params["prompt"],
            width=width,
            height=height,
            seconds=params["duration"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            picture=self.world.input_path(picture) if picture else None,
            sound=params["audio"],
        )
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        ready = task.phase(self.world.now()) == "succeeded" and index == 0 and "resolution" in task.params
        return self.clip_plan(task) if ready else None

    @staticmethod
    def filtered() -> dict[str, Any]:
        """What stands beside an empty list of results when the filter took them."""
        return {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [FILTERED]}
