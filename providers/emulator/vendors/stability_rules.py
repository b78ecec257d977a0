"""Stability's operations on pictures with their fields, prices in credits and checks (2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from providers.emulator.vendor import even
from providers.emulator.wire import Part

SD3 = {"sd3.5-large": "6.5", "sd3.5-large-turbo": "4", "sd3.5-medium": "3.5", "sd3.5-flash": "2.5"}
FORMATS = ("png", "jpeg", "webp")
RATIOS = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")
PIXELS = 1_048_576
SMALLEST, LARGEST = 4_096, 9_437_184
FILM_SIZES = ((1024, 576), (576, 1024), (768, 768))
REQUEST_BYTES = 10_485_760
PART, STRENGTH = (0.0, 1.0), {"strength": (0.0, 1.0)}
SIDES = dict.fromkeys(("left", "right", "up", "down"), (0.0, 2000.0))


class Refused(Exception):
    """An error of the vendor: status, name, words."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name, self.message = status, name, message


def bad(message: str) -> Refused:
    return Refused(400, "bad_request", message)


@dataclass(frozen=True, slots=True)
class Operation:
    """Price in credits, texts and files that must be given, ranges of its numbers.

    ``canvas`` is the file whose size the result has; ``later`` operations answer with an id.
    """

    credits: str
    texts: tuple[str, ...] = ("prompt",)
    files: tuple[str, ...] = ()
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    canvas: str = "image"
    later: bool = False
    least_side: int = 64


OPERATIONS = {
    "generate/core": Operation("3"),
    "generate/ultra": Operation("8", numbers=STRENGTH),
    "generate/sd3": Operation("6.5", numbers={**STRENGTH, "cfg_scale": (1, 10)}),
    "control/sketch": Operation("5", files=("image",), numbers={"control_strength": PART}),
    "control/structure": Operation("5", files=("image",), numbers={"control_strength": PART}),
    "control/style": Operation("5", files=("image",), numbers={"fidelity": PART}),
    "control/style-transfer": Operation(
        "8",
        texts=(),
        files=("init_image", "style_image"),
        numbers={"style_strength": PART, "composition_fidelity": PART, "change_strength": (0.1, 1)},
        canvas="init_image",
    ),
    "edit/erase": Operation("5", texts=(), files=("image",), numbers={"grow_mask": (0, 20)}),
    "edit/inpaint": Operation("5", files=("image",), numbers={"grow_mask": (0, 100)}),
    "edit/outpaint": Operation("4", texts=(), files=("image",), numbers={**SIDES, "creativity": PART}),
    "edit/search-and-replace": Operation("5", ("prompt", "search_prompt"), ("image",)),
    "edit/search-and-recolor": Operation("5", ("prompt", "select_prompt"), ("image",)),
    "edit/remove-background": Operation("5", texts=(), files=("image",)),
    "edit/replace-background-and-relight": Operation(
        "8", texts=(), files=("subject_image",), canvas="subject_image", later=True
    ),
    "upscale/fast": Operation("2", texts=(), files=("image",), least_side=32),
    "upscale/conservative": Operation("40", files=("image",), numbers={"creativity": (0.2, 0.5)}),
    "upscale/creative": Operation("60", files=("image",), numbers={"creativity": (0, 0.35)}, later=True),
}


def operation(name: str) -> Operation:
    if name not in OPERATIONS:
        raise Refused(404, "not_found", "Not found")
    return OPERATIONS[name]


def check(name: str, facts: Operation, form: Mapping[str, str], parts: Mapping[str, Part]) -> str:
    """Validate the fields of an operation and give its price in credits."""
    for wanted in facts.files:
        if wanted not in parts:
            raise bad(f"{wanted}: is required")
    for text in ("prompt", "negative_prompt", *facts.texts):
        if not (1 if text in facts.texts else 0) <= len(form.get(text, "")) <= 10_000:
            raise bad(f"{text}: must be 1 to 10000 characters")
    for number, (low, high) in facts.numbers.items():
        if not low <= _number(form, number, low) <= high:
            raise bad(f"{number}: must be a number from {low:g} to {high:g}")
    check_common(form, FORMATS[:2] if name == "generate/sd3" else FORMATS)
    if name == "edit/outpaint" and not any(_number(form, side, 0) for side in SIDES):
        raise bad("at least one of left, right, up and down must be above 0")
    if facts.later and name.startswith("edit/") and not {"background_prompt", "background_reference"} & set(parts):
        raise bad("background_prompt or background_reference: is required")
    if any("[forbidden]" in value for value in form.values()):
        raise Refused(403, "content_moderation", "Your request was flagged by our content moderation system")
    return _sd3(form, parts) if name == "generate/sd3" else facts.credits


def check_common(form: Mapping[str, str], formats: tuple[str, ...]) -> None:
    """Format, seed and shape, which most operations take."""
    if form.get("output_format", "png") not in formats:
        raise bad("output_format: is not supported")
    if not form.get("seed", "0").isdigit() or int(form.get("seed", "0")) > 4_294_967_294:
        raise bad("seed: must be a number from 0 to 4294967294")
    if form.get("aspect_ratio", "1:1") not in RATIOS:
        raise bad("aspect_ratio: is not supported")


def _sd3(form: Mapping[str, str], parts: Mapping[str, Part]) -> str:
    model = form.get("model", "sd3.5-large")
    if model not in SD3:
        raise bad("model: is not supported")
    if form.get("mode") == "image-to-image" and ("image" not in parts or "aspect_ratio" in form):
        raise bad("image-to-image needs image and strength and forbids aspect_ratio")
    return SD3[model]


def _number(form: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(form.get(name) or default)
    except ValueError as error:
        raise bad(f"{name}: must be a number") from error


def size_of_picture(part: Part, name: str = "image", least_side: int = 64) -> tuple[int, int]:
    """Width and height of a picture that is within the vendor's limits."""
    picture = cv2.imdecode(np.frombuffer(part.data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise bad(f"{name}: is not a valid image")
    height, width = (int(side) for side in picture.shape[:2])
    if min(width, height) < least_side:
        raise bad(f"{name}: every side must be at least {least_side} pixels")
    if not SMALLEST <= width * height <= LARGEST and least_side == 64:
        raise bad(f"{name}: must have {SMALLEST} to {LARGEST} pixels")
    return width, height


def size_of_result(name: str, facts: Operation, form: Mapping[str, str], canvas: Part | None) -> tuple[int, int]:
    """The picture's own size for edits, a multiple for upscales, else about a megapixel in the asked shape."""
    if canvas is None or "aspect_ratio" in form:
        wide, _, tall = form.get("aspect_ratio", "1:1").partition(":")
        return _area(int(wide) / int(tall), PIXELS)
    width, height = size_of_picture(canvas, facts.canvas, facts.least_side)
    if name == "upscale/fast":
        if max(width, height) > 1536:
            raise bad("image: every side must be at most 1536 pixels")
        return even(width * 4), even(height * 4)
    if name.startswith("upscale/"):
        return _area(width / height, 4 * PIXELS)
    if name == "edit/outpaint":
        left, right, up, down = (_number(form, side, 0) for side in SIDES)
        return even(width + left + right), even(height + up + down)
    return (even(width), even(height)) if name.startswith("edit/") else _area(width / height, PIXELS)


def _area(shape: float, pixels: int) -> tuple[int, int]:
    tall = (pixels / shape) ** 0.5
    return even(tall * shape), even(tall)
