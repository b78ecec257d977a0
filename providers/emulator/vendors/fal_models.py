"""fal's endpoints with their inputs, limits and prices, and the checks of what is asked (2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.emulator.vendor import even

LINES = {
    "512P": 512,
    "540p": 540,
    "720p": 720,
    "768P": 768,
    "1080p": 1080,
    "480p": 480,
    "580p": 580,
}


@dataclass(frozen=True, slots=True)
class Model:
    """Allowed texts and dollars a second by resolution, required inputs, seconds of work a second.

    Without durations the length follows the video that is given; ``picture`` names the input whose picture is shown.
    """

    durations: tuple[str, ...]
    prices: Mapping[str, str]
    required: tuple[str, ...]
    ratios: tuple[str, ...] = ()
    render_s: float = 12
    picture: str = "image_url"
    sound: bool = False
    still: bool = False


PIKA = {"720p": "0.04", "1080p": "0.09"}
PIKA_RATIOS = ("16:9", "9:16", "1:1", "4:5", "5:4", "3:2", "2:3")
LUMA = {"540p": "0.10", "720p": "0.20", "1080p": "0.40"}
LUMA_RATIOS = ("16:9", "9:16", "4:3", "3:4", "21:9", "9:21")
VEO = {"720p": "0.40", "1080p": "0.40"}
VEO_FAST = {"720p": "0.10", "1080p": "0.15"}
KLING_LENGTHS = tuple(str(value) for value in range(3, 16))
PICTURE = ("prompt", "image_url")
HAILUO_PRO = {"1080p": "0.08"}
SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
IMAGES = {
    "fal-ai/flux/schnell": "0.003",
    "fal-ai/flux/dev": "0.025",
    "fal-ai/flux-pro/v1.1": "0.04",
    "fal-ai/fast-sdxl": "0.002",
    "fal-ai/stable-diffusion-v35-large": "0.065",
    "fal-ai/recraft/v3/text-to-image": "0.04",
    "fal-ai/ideogram/v3": "0.06",
    "fal-ai/imagen4/preview": "0.05",
    "fal-ai/nano-banana": "0.039",
    "fal-ai/qwen-image": "0.02",
}
MODELS = {
    **{name: Model((), {"": price}, ("prompt",), render_s=3, still=True) for name, price in IMAGES.items()},
    "fal-ai/flux/dev/image-to-image": Model((), {"": "0.03"}, PICTURE, render_s=3, still=True),
    "fal-ai/nano-banana/edit": Model(
        (), {"": "0.039"}, ("prompt", "image_urls"), render_s=3, picture="image_urls", still=True
    ),
    **{
        f"fal-ai/pika/{version}/{kind}": Model(("5",), PIKA, needs, PIKA_RATIOS if kind[0] == "t" else ())
        for version in ("v2.1", "v2.5")
        for kind, needs in (("text-to-video", ("prompt",)), ("image-to-video", PICTURE))
    },
    "fal-ai/luma-dream-machine/ray-2/reframe": Model((), LUMA, ("video_url",), LUMA_RATIOS, picture=""),
    "fal-ai/minimax/hailuo-02/standard/text-to-video": Model(("6", "10"), {"768P": "0.045"}, ("prompt",), render_s=15),
    "fal-ai/minimax/hailuo-02/pro/text-to-video": Model(("6",), HAILUO_PRO, ("prompt",), render_s=15),
    "fal-ai/minimax/hailuo-2.3/pro/image-to-video": Model(("6",), HAILUO_PRO, PICTURE, render_s=15),
    "fal-ai/minimax/hailuo-2.3/pro/text-to-video": Model(("6",), HAILUO_PRO, ("prompt",), render_s=15),
    "fal-ai/kling-video/v2.1/master/text-to-video": Model(
        ("5", "10"), {"1080p": "0.28"}, ("prompt",), ("16:9", "9:16", "1:1")
    ),
    "fal-ai/kling-video/v2.5-turbo/pro/text-to-video": Model(
        ("5", "10"), {"1080p": "0.07"}, ("prompt",), ("16:9", "9:16", "1:1"), render_s=10
    ),
    "fal-ai/kling-video/v3/pro/text-to-video": Model(
        KLING_LENGTHS, {"1080p": "0.168"}, ("prompt",), ("16:9", "9:16", "1:1"), sound=True
    ),
    "fal-ai/veo3.1/fast": Model(("8s", "4s", "6s"), VEO_FAST, ("prompt",), ("16:9", "9:16"), sound=True),
    "fal-ai/veo3.1/fast/image-to-video": Model(("8s", "4s", "6s"), VEO_FAST, PICTURE, ("16:9", "9:16"), sound=True),
    "fal-ai/sync-lipsync/v2/pro": Model((), {"720p": "0.083"}, ("video_url", "audio_url"), picture="", sound=True),
    "fal-ai/pika/v2.2/text-to-video": Model(("5", "10"), PIKA, ("prompt",), PIKA_RATIOS),
    "fal-ai/pika/v2.2/image-to-video": Model(("5", "10"), PIKA, PICTURE),
    "fal-ai/pika/v2.2/pikaframes": Model(("5", "10"), PIKA, ("image_urls",), picture="image_urls"),
    "fal-ai/pika/v2.2/pikascenes": Model(
        ("5", "10"), PIKA, ("image_urls", "prompt"), PIKA_RATIOS, picture="image_urls"
    ),
    "fal-ai/pika/v2/turbo/text-to-video": Model(("5",), PIKA, ("prompt",), PIKA_RATIOS),
    "fal-ai/pika/v2/turbo/image-to-video": Model(("5",), PIKA, PICTURE),
    "fal-ai/pika/v2/pikadditions": Model(("5",), PIKA, ("video_url", "image_url"), picture="image_url"),
    "fal-ai/pika/v1.5/pikaffects": Model(("5",), PIKA, ("image_url", "pikaffect")),
    "fal-ai/minimax/hailuo-02/standard/image-to-video": Model(
        ("6", "10"), {"768P": "0.045", "512P": "0.017"}, PICTURE, render_s=15
    ),
    "fal-ai/minimax/hailuo-02/pro/image-to-video": Model(("6",), {"1080p": "0.08"}, PICTURE, render_s=15),
    "fal-ai/luma-dream-machine/ray-2": Model(("5s", "9s"), LUMA, ("prompt",), LUMA_RATIOS),
    "fal-ai/luma-dream-machine/ray-2/image-to-video": Model(("5s", "9s"), LUMA, PICTURE, LUMA_RATIOS),
    "fal-ai/kling-video/v2.1/standard/image-to-video": Model(("5", "10"), {"720p": "0.056"}, PICTURE, render_s=18),
    "fal-ai/kling-video/v2.5-turbo/pro/image-to-video": Model(("5", "10"), {"1080p": "0.07"}, PICTURE, render_s=10),
    "fal-ai/kling-video/v2.6/pro/text-to-video": Model(
        ("5", "10"), {"1080p": "0.14"}, ("prompt",), ("16:9", "9:16", "1:1"), sound=True
    ),
    "fal-ai/kling-video/v3/pro/image-to-video": Model(
        KLING_LENGTHS, {"1080p": "0.168"}, ("prompt", "start_image_url"), picture="start_image_url", sound=True
    ),
    "fal-ai/veo3.1": Model(("8s", "4s", "6s"), VEO, ("prompt",), ("16:9", "9:16"), sound=True),
    "fal-ai/veo3.1/image-to-video": Model(("8s", "4s", "6s"), VEO, PICTURE, ("16:9", "9:16"), sound=True),
    "fal-ai/sync-lipsync/v2": Model((), {"720p": "0.05"}, ("video_url", "audio_url"), picture="", sound=True),
}
PIKAFFECTS = ("Melt", "Inflate", "Crush", "Explode", "Squish", "Cake-ify", "Dissolve", "Levitate", "Peel", "Poke")


class Refused(Exception):
    """A platform or model error: status and body."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body))
        self.status, self.body = status, dict(body)


def invalid(field: str, words: str, kind: str) -> Refused:
    """A model's validation error, as its runner writes it."""
    page = f"https://docs.fal.ai/errors#{kind}"
    return Refused(
        422, {"detail": [{"loc": ["body", field] if field else [], "msg": words, "type": kind, "url": page}]}
    )


def one_of(field: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise invalid(field, f"Input should be one of {allowed}", "literal_error")


def check(facts: Model, body: Any) -> dict[str, Any]:
    """What is asked, checked as the model checks it; files are not looked at."""
    if not isinstance(body, dict):
        raise Refused(400, {"detail": "The body is not JSON", "error_type": "bad_request"})
    for name in facts.required:
        if not body.get(name):
            raise invalid(name, "Field required", "missing")
    duration = body.get("duration", facts.durations[0]) if facts.durations else ""
    if facts.durations:
        one_of("duration", duration, facts.durations)
    resolution = body.get("resolution", next(iter(facts.prices)))
    one_of("resolution", resolution, tuple(facts.prices))
    ratio = body.get("aspect_ratio", "16:9")
    if facts.ratios:
        one_of("aspect_ratio", ratio, facts.ratios)
    if "pikaffect" in facts.required:
        one_of("pikaffect", body["pikaffect"], PIKAFFECTS)
    prompt = str(body.get("prompt") or body.get("pikaffect") or "")
    if "[forbidden]" in prompt:
        raise invalid("prompt", "The content could not be processed", "content_policy_violation")
    seconds = int(str(duration).rstrip("s")) if duration else 0
    shape = {"ratio": ratio if facts.ratios else "", "seed": body.get("seed", 0)}
    return {"prompt": prompt, "seconds": seconds, "resolution": resolution, "sound": facts.sound, **shape}


def check_still(facts: Model, body: Any) -> dict[str, Any]:
    """A picture's prompt, size and number; each is charged."""
    if not isinstance(body, dict):
        raise Refused(400, {"detail": "The body is not JSON", "error_type": "bad_request"})
    for name in facts.required:
        if not body.get(name):
            raise invalid(name, "Field required", "missing")
    if "[forbidden]" in str(body["prompt"]):
        raise invalid("prompt", "The content could not be processed", "content_policy_violation")
    count, size = body.get("num_images", 1), body.get("image_size") or body.get("aspect_ratio") or "landscape_4_3"
    if not isinstance(count, int) or not 1 <= count <= 4:
        raise invalid("num_images", "Input should be from 1 to 4", "less_than_equal")
    form = body.get("output_format", "jpeg")
    one_of("output_format", form, ("jpeg", "png"))
    width, height = _frame(size)
    shown = {"prompt": str(body["prompt"]), "resolution": "", "ratio": "", "seed": body.get("seed", 0)}
    return {**shown, "seconds": count, "still": form, "width": width, "height": height}


def _frame(size: Any) -> tuple[int, int]:
    """A size by its name, by width and height, or about a megapixel of a ratio."""
    if isinstance(size, dict):
        sides = [size.get(side) for side in ("width", "height")]
        if not all(isinstance(side, int) and 64 <= side <= 2048 for side in sides):
            raise invalid("image_size", "width and height should be from 64 to 2048", "less_than_equal")
        return even(size["width"]), even(size["height"])
    if str(size) in SIZES:
        return SIZES[str(size)]
    wide, _, tall = str(size).partition(":")
    if not (wide.isdigit() and tall.isdigit() and int(wide) and int(tall)):
        one_of("image_size", size, tuple(SIZES))
    high = (1024 * 1024 * int(tall) / int(wide)) ** 0.5
    return even(high * int(wide) / int(tall)), even(high)


def pictures(facts: Model, body: Mapping[str, Any]) -> list[str]:
    """The addresses of the pictures given under the model's own name for them."""
    given = body.get(facts.picture) if facts.picture else None
    found = given if isinstance(given, list) else [given] if given else []
    if facts.picture == "image_urls" and not 1 <= len(found) <= 5:
        raise invalid("image_urls", "1 to 5 pictures are expected", "sequence_too_long")
    return [str(url) for url in found]
