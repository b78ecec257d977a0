"""Runs in its own process: decode one untrusted picture under limits and write it normalised.

Usage: ``python -m genengine.media.intake.picture_child SOURCE TARGET_STEM FORMAT MAX_PIXELS MAX_SIDE MEMORY CPU_S``.
Prints one JSON object: the result, or ``{"code", "message", "hint"}``.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

RESAVE = "Open it in a picture editor, save it again as JPEG or PNG, and upload that."


class Refused(Exception):
    """The picture is not used; carries what the parent reports."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.answer = {"code": code, "message": message, "hint": hint}


def main(argv: list[str]) -> dict[str, Any]:
    source, stem, form, max_pixels, max_side, memory, cpu = argv
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu), int(cpu)))
    Image.MAX_IMAGE_PIXELS = None
    try:
        return _normalise(Path(source), Path(stem), form, int(max_pixels), int(max_side))
    except Refused as refused:
        return refused.answer
    except MemoryError:
        return Refused(
            "picture_too_large", "The picture needs too much memory.", "Scale it down and upload it again."
        ).answer
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        reason = "" if "/" in str(error) else f" ({error})"
        return Refused("picture_damaged", f"The picture is damaged or cut off{reason}.", RESAVE).answer


def _normalise(source: Path, stem: Path, form: str, max_pixels: int, max_side: int) -> dict[str, Any]:
    warnings: list[str] = []
    with Image.open(source, formats=[form]) as opened:
        width, height = opened.size
        if width * height > max_pixels:
            counted = f"{width}×{height} = {width * height / 1e6:.0f} million pixels"
            raise Refused(
                "picture_too_large",
                f"The picture has {counted}; {max_pixels / 1e6:.0f} million are allowed.",
                "Scale it down and upload it again; 4000 pixels on the longer side are enough.",
            )
        if getattr(opened, "n_frames", 1) > 1:
            warnings.append("The picture is animated; its first frame is used.")
        opened.load()
        image = _srgb(ImageOps.exif_transpose(opened), warnings)
    if max(image.size) > max_side:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        warnings.append(f"The picture was scaled down to {image.width}×{image.height}.")
    if min(image.size) < 2:
        raise Refused(
            "picture_too_small", f"The picture is only {image.width}×{image.height} pixels.", "Upload a larger one."
        )
    target = _save(image, stem)
    return {"path": str(target), "width": image.width, "height": image.height, "warnings": warnings}


def _srgb(image: Image.Image, warnings: list[str]) -> Image.Image:
    """8-bit RGB or RGBA in sRGB; transparency is kept only where something is transparent."""
    if image.mode.startswith(("I;16", "I", "F")):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    profile = image.info.get("icc_profile")
    keeps_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    alpha = image.convert("RGBA").getchannel("A") if keeps_alpha else None
    base = image if image.mode in ("RGB", "CMYK", "L") else image.convert("RGB")
    if profile:
        base = _from_profile(base, profile, warnings)
    base = base.convert("RGB")
    if alpha is not None and alpha.histogram()[255] < alpha.width * alpha.height:
        base.putalpha(alpha)
    return base


def _from_profile(image: Image.Image, profile: bytes, warnings: list[str]) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        warnings.append("The picture's colour profile is unusable and was ignored.")
        return image
    return converted if converted is not None else image


def _save(image: Image.Image, stem: Path) -> Path:
    if image.mode == "RGBA":
        target = stem.with_suffix(".png")
        image.save(target, compress_level=6)
    else:
        target = stem.with_suffix(".jpg")
        image.save(target, quality=95, subsampling=0)
    return target


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
