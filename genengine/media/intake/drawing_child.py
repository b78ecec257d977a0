"""Runs in its own process: check one untrusted SVG drawing, draw it under limits and write it as PNG.

Usage: ``python -m genengine.media.intake.drawing_child SOURCE TARGET_STEM LONGEST_SIDE MEMORY CPU_S``.
Prints one JSON object: the result, or ``{"code", "message", "hint"}``.

A drawing stands for itself: what would run, what would be fetched and what depends on fonts that are not in it is
refused before anything is drawn. The renderer (resvg) gets only what passed.
"""

from __future__ import annotations

import io
import json
import re
import resource
import sys
from pathlib import Path
from typing import Any
from xml.parsers import expat

from PIL import Image

from genengine.media.intake.picture_child import Refused

NAMESPACE = "http://www.w3.org/2000/svg"
PLAIN = "Export it again as plain SVG without scripts, links to other files and editing data, or as PNG."
RUNS = frozenset({"script", "handler", "foreignObject", "iframe", "object", "embed", "audio", "video", "canvas"})
PICTURE_INSIDE = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,", re.I)
URL = re.compile(r"url\(\s*['\"]?\s*([^)'\"]*)", re.I)
NUMBER = re.compile(r"\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*(px|pt|pc|mm|cm|in|em|ex|%)?\s*", re.I)
MOST_ELEMENTS, DEEPEST = 50_000, 100
LARGEST_SIDE, MOST_UNLIKE = 100_000.0, 30.0


def main(argv: list[str]) -> dict[str, Any]:
    source, stem, longest, memory, cpu = argv
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu), int(cpu)))
    try:
        return _draw(Path(source), Path(stem), int(longest))
    except Refused as refused:
        return refused.answer
    except MemoryError:
        return _too_complex().answer
    except expat.ExpatError as error:
        reason = f"line {error.lineno}: {expat.errors.messages[error.code]}"
        return Refused("svg_damaged", f"The drawing is not well-formed XML ({reason}).", PLAIN).answer


def _draw(source: Path, stem: Path, longest: int) -> dict[str, Any]:
    data = source.read_bytes()
    across = _Reading().read(data)
    size = (longest, max(1, round(longest / across))) if across >= 1 else (max(1, round(longest * across)), longest)
    import resvg_py

    try:
        text = data.decode("utf-8-sig")
        made = resvg_py.svg_to_bytes(svg_string=text, width=size[0], height=size[1], skip_system_fonts=True)
    except UnicodeDecodeError as error:
        raise Refused("svg_damaged", "The drawing is not saved as UTF-8.", PLAIN) from error
    except ValueError as error:
        if "limit" in str(error):
            raise _too_complex() from error
        raise Refused("svg_damaged", f"The drawing cannot be drawn ({_short(error)}).", PLAIN) from error
    with Image.open(io.BytesIO(bytes(made)), formats=["PNG"]) as opened:
        image = opened.convert("RGBA")
    if image.getchannel("A").getextrema()[1] == 0:
        raise Refused("svg_empty", "Nothing is to be seen in the drawing.", "Check its viewBox, and export it again.")
    target = stem.with_suffix(".png")
    image.save(target, compress_level=6)
    note = f"The drawing was turned into a picture of {image.width}×{image.height} pixels."
    return {"path": str(target), "width": image.width, "height": image.height, "warnings": [note]}


class _Reading:
    """One pass over the elements; the first thing that is not allowed ends it."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._elements = 0
        self._root: dict[str, str] = {}

    def read(self, data: bytes) -> float:
        """Return the drawing's width by its height. Raises ``Refused`` or ``ExpatError``."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(data, True)
        return _shape(self._root)

    def _doctype(self, name: str, system: str | None, public: str | None, has_subset: int) -> None:
        if has_subset:
            self._entity()

    def _entity(self, *_: Any) -> None:
        raise Refused("svg_entities", "The drawing defines entities, which are never expanded.", PLAIN)

    def _instruction(self, target: str, _: str) -> None:
        if target.lower() == "xml-stylesheet":
            raise _external("a style sheet")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        self._elements += 1
        if self._elements == 1:
            if (space, local) != (NAMESPACE, "svg"):
                raise Refused("svg_damaged", f"Its outermost element is {local!r}, not an SVG drawing.", PLAIN)
            self._root = attributes
        self._open.append(local)
        if self._elements > MOST_ELEMENTS or len(self._open) > DEEPEST:
            raise _too_complex()
        if local in RUNS:
            raise Refused("svg_script", f"The drawing has a <{local}>, and drawings may not run anything.", PLAIN)
        for key, value in attributes.items():
            _check_attribute(local, key.rpartition(" ")[2], value)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if "style" in self._open:
            _check_style(text)
        elif "text" in self._open and text.strip() and self._open[-1] not in ("title", "desc"):
            hint = "Turn its letters into outlines (paths) and export it again."
            raise Refused("svg_text", "The drawing has letters that need a font.", hint)


def _check_attribute(element: str, name: str, value: str) -> None:
    word = value.strip()
    if name.lower().startswith("on") or word.lower().startswith("javascript:"):
        raise Refused("svg_script", f"The drawing has a script ({name} of <{element}>).", PLAIN)
    if name in ("href", "src") and element != "a" and not (word.startswith("#") or PICTURE_INSIDE.match(word)):
        raise _external(f"{name} of <{element}>")
    _check_style(value)


def _check_style(text: str) -> None:
    if "@import" in text.lower():
        raise _external("@import")
    for target in URL.findall(text):
        if not target.strip().startswith("#"):
            raise _external("url(…)")


def _shape(attributes: dict[str, str]) -> float:
    """Width by height, from the viewBox, else from width and height."""
    box = [float(part) for part in re.findall(r"-?[0-9.]+(?:e[+-]?[0-9]+)?", attributes.get("viewBox", ""), re.I)[:4]]
    sides = [NUMBER.fullmatch(attributes.get(name, "")) for name in ("width", "height")]
    given = [float(side[1]) for side in sides if side and side[2] != "%"]
    width, height = given if len(given) == 2 else box[2:] if len(box) == 4 else (0.0, 0.0)
    largest = max([*given, *map(abs, box)], default=0.0)
    if not (width > 0 and height > 0):
        hint = "Export it with width and height, or with a viewBox."
        raise Refused("svg_size", "The drawing does not say how large it is.", hint)
    if largest > LARGEST_SIDE or max(width / height, height / width) > MOST_UNLIKE:
        limit = f"at most {LARGEST_SIDE:g} units a side, and no side {MOST_UNLIKE:g} times the other"
        raise Refused("svg_size", f"The drawing is {width:g}×{height:g} units; allowed are {limit}.", "Scale it down.")
    return width / height


def _external(what: str) -> Refused:
    return Refused("svg_external", f"The drawing points to something outside it ({what}).", PLAIN)


def _too_complex() -> Refused:
    return Refused("svg_too_complex", "The drawing is too complex.", "Simplify it, or export it as PNG.")


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return "no reason given" if "/" in text or not text else text[:120]


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
