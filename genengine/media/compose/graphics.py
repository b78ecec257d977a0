"""What lies over the picture: captions, overlays, marks. Described as values first (they are part of a piece's
key), drawn only by the pieces that show them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageFilter

from genengine.media.channels import CHANNELS
from genengine.media.compose.keeping_clear import Box, clear_top, shown_subjects, slots_in
from genengine.media.compose.layers import Layer, layer_of
from genengine.media.compose.pictures import load_rgba
from genengine.media.legibility import rgb
from genengine.media.spec.model import ImageOverlay, Output, Place, RenderSpec, TextOverlay
from genengine.media.text.draw import Ink, draw_block, haloed, padding, rim
from genengine.media.text.fonts import FontChain, chain
from genengine.media.text.layout import Block, cards, fit, minimum_size, text_base

CAPTION_SIZE, CAPTION_FADE = 0.034, 2
CAPTION_SHRINK = 0.82
"""A caption shrinks this far; after that it becomes two cards, which read better than small print."""

OVERLAY_SHRINK = 0.6
"""A label or headline shrinks this far, then it becomes two cards."""

LABEL_SIZE, HEADLINE_SIZE, MEME_SIZE, MARK_SIZE = 0.03, 0.06, 0.07, 0.022
GAP = 0.012
"""Of the frame's height, between words and what they make way for."""

MARK_WIDTH = 0.7
MARK_LINES = 5  # a disclosure is never cut: it takes the lines it needs
PLATE, LIGHT_PLATE = (12, 14, 20, 200), (247, 247, 250, 225)
SIMULATED_TEXT = "SIMULATED"
TOP_ROW = (Place.TOP_LEFT, Place.TOP, Place.TOP_RIGHT)
BOTTOM_ROW = (Place.BOTTOM_LEFT, Place.BOTTOM, Place.BOTTOM_RIGHT)
CORNERS = (Place.TOP_LEFT, Place.TOP_RIGHT, Place.BOTTOM_LEFT, Place.BOTTOM_RIGHT)


@dataclass(frozen=True, slots=True)
class Graphic:
    """One bitmap to be: words (``text``) or a picture (``image``), where and when. Times in timeline frames.

    ``spoken`` is the part of ``text`` that is highlighted (first and past-last character), for karaoke captions.
    ``lift`` moves it up by that many pixels, away from what stands below it.
    """

    start: int
    end: int
    place: Place
    text: str = ""
    image: str = ""
    font: str | None = None
    role: str = "body"
    style: str = "plate"
    size: float = CAPTION_SIZE
    color: str = "#ffffff"
    accent: str = "#ffd84d"
    plate: str | None = None
    margin: float = 0.0
    opacity: float = 1.0
    fade: int = 0
    lift: int = 0
    max_lines: int = 2
    area: str = "safe"
    max_height: float = 1.0
    max_width: float = 1.0
    shadow: bool = False
    own_size: bool = False
    spoken: tuple[int, int] | None = None


def graphics(spec: RenderSpec, files: Mapping[str, Path]) -> list[Graphic]:
    """All graphics of a spec, lowest first."""
    return [graphic for _, graphic in sourced(spec, files)]


def sourced(spec: RenderSpec, files: Mapping[str, Path]) -> list[tuple[str, Graphic]]:
    """Graphics with the JSON path each comes from."""
    captions = list(_captions(spec, files)) if spec.captions.mode == "burned" else []
    marks = list(_marks(spec))
    below = caption_height(spec.output) if captions and spec.captions.position == "bottom" else 0
    marked = _mark_height(marks, spec, files)
    overlays = [
        (f"$.overlays[{index}]", part)
        for index, item in enumerate(spec.overlays)
        for part in _shown(_overlay(item, below, max(marked, _logo_height(item, spec, files))), files, spec.output)
    ]
    beside = [*(part for _, part in overlays), *marks]
    return [*overlays, *_kept_clear(captions, beside, spec, files), *(("$.marks", mark) for mark in marks)]


Sourced = list[tuple[str, Graphic]]


def _kept_clear(captions: Sourced, beside: list[Graphic], spec: RenderSpec, files: Mapping[str, Path]) -> Sourced:
    """The captions, moved where they would cover a slot's subject. Captions over the same slots move as one, by the
    tallest of them, so that they do not hop from card to card."""
    if not any(getattr(segment, "subject", None) for segment in spec.segments):
        return captions
    starts, groups = spec.slot_starts, dict[range, list[tuple[Graphic, Box]]]()
    together = [slots_in(starts, graphic.start, graphic.end) for _, graphic in captions]
    for slots, (_, graphic) in zip(together, captions, strict=True):
        groups.setdefault(slots, []).append((graphic, placed_box(graphic, spec.output, files)))
    lifts = {slots: _lift(parts, beside, spec, files) for slots, parts in groups.items()}
    moved = zip(together, captions, strict=True)
    return [(path, replace(graphic, lift=lifts[slots])) for slots, (path, graphic) in moved]


def _lift(parts: list[tuple[Graphic, Box]], beside: list[Graphic], spec: RenderSpec, files: Mapping[str, Path]) -> int:
    """How far captions that are shown one after another move up (down when negative)."""
    boxes = [box for _, box in parts]
    tallest = max(boxes, key=lambda box: box[3] - box[1])
    block = min(b[0] for b in boxes), tallest[1], max(b[2] for b in boxes), tallest[3]
    start, end = min(graphic.start for graphic, _ in parts), max(graphic.end for graphic, _ in parts)
    gap = round(spec.output.height * GAP)
    shown = [other for other in beside if other.start < end and other.end > start and other.area == "safe"]
    taken = [placed_box(other, spec.output, files) for other in shown if other.text or other.image in files]
    taken = [(x0, y0 - gap, x1, y1 + gap) for x0, y0, x1, y1 in taken]
    bars = [getattr(spec.segments[slot], "bar", None) for slot in slots_in(spec.slot_starts, start, end)]
    taken += [(0, 0, spec.output.width, bar.rows(spec.output.height)) for bar in bars if bar]
    top = clear_top(block, _box(parts[0][0], spec.output), shown_subjects(spec, start, end), taken)
    return tallest[1] - top


def placed_box(graphic: Graphic, output: Output, files: Mapping[str, Path], block: Block | None = None) -> Box:
    """Left, top, right, bottom in pixels of the frame, with plate, halo and shadow. ``block`` spares setting
    words again."""
    if graphic.text:
        block = block or fitted_block(graphic, files, output)
        pad = padding(block.size, ink_of(graphic))
        size = block.width + 2 * pad, block.height + 2 * pad
    else:
        with Image.open(files[graphic.image]) as image:
            size = picture_size(graphic, output, image.size)
        if graphic.shadow:
            size = size[0] + 2 * _reach(size[0]), size[1] + 2 * _reach(size[0])
    x, y = position(graphic, output, size)
    return x, y, x + size[0], y + size[1]


def draw(graphic: Graphic, spec: RenderSpec, files: Mapping[str, Path]) -> Layer:
    """Make the bitmap and put it in its place."""
    output = spec.output
    size = (output.width, output.height)
    if graphic.image:
        image = load_rgba(files[graphic.image])
        image = image.resize(picture_size(graphic, output, image.size), Image.Resampling.LANCZOS)
        image = _with_shadow(image) if graphic.shadow else image
    else:
        image = _words(graphic, files, output)
    at = position(graphic, output, image.size)
    return layer_of(image, at, size, start=graphic.start, end=graphic.end, opacity=graphic.opacity, fade=graphic.fade)


def _captions(spec: RenderSpec, files: Mapping[str, Path]) -> Iterator[tuple[str, Graphic]]:
    plan = spec.captions
    place = {"bottom": Place.BOTTOM, "center": Place.CENTER, "top": Place.TOP}[plan.position]
    meme = plan.style == "meme"
    for index, cue in enumerate(plan.cues):
        model = Graphic(
            cue.start_frame,
            cue.end_frame,
            place,
            text=cue.text.upper() if meme else cue.text,
            font=plan.font,
            role="display" if meme else "body",
            style="outline" if meme else plan.style,
            size=MEME_SIZE if meme else CAPTION_SIZE,
            color=plan.color,
            accent=plan.accent,
            fade=CAPTION_FADE,
        )
        for part in _cards(model, files, spec.output):
            shown = _karaoke(part) if plan.style == "karaoke" else [part]
            yield from ((f"$.captions.cues[{index}]", item) for item in shown)


def _shown(model: Graphic, files: Mapping[str, Path], output: Output) -> Iterator[Graphic]:
    return _cards(model, files, output, OVERLAY_SHRINK) if model.text else iter([model])


def _cards(
    model: Graphic, files: Mapping[str, Path], output: Output, shrink: float = CAPTION_SHRINK
) -> Iterator[Graphic]:
    """What does not fit becomes the next card; each gets time by its number of characters."""
    size = round(_letter_base(model, output) * model.size)
    smallest = max(minimum_size(output.height), round(size * shrink))
    box = text_box(model, output, size)
    texts = cards(
        model.text, _fonts(model, files), width=box[0], height=box[1], size=size, smallest=smallest,
        max_lines=model.max_lines,
    )  # fmt: skip
    yield from _shared_time(model, texts)


def text_box(graphic: Graphic, output: Output, size: int) -> tuple[int, int]:
    """Width and height in pixels that letters of ``size`` may take, without their plate, outline or halo."""
    x0, y0, x1, y1 = _box(graphic, output)
    pad = padding(size, ink_of(graphic))
    return round((x1 - x0) * graphic.max_width) - 2 * pad, y1 - y0 - 2 * pad


def _shared_time(model: Graphic, texts: list[str]) -> Iterator[Graphic]:
    total, done = sum(map(len, texts)) or 1, 0
    length = model.end - model.start
    for text in texts:
        start = model.start + length * done // total
        done += len(text)
        yield replace(model, start=start, end=model.start + length * done // total, text=text)


def _karaoke(card: Graphic) -> Iterator[Graphic]:
    """The card once a word, with that word in the accent colour."""
    words = [(match.start(), match.end()) for match in re.finditer(r"\S+", card.text)]
    if not words:
        yield card
        return
    for part, word in zip(_shared_time(card, [card.text[a:b] for a, b in words]), words, strict=True):
        if part.end > part.start:
            yield replace(part, text=card.text, spoken=word, style="plate", fade=0)


def _overlay(item: ImageOverlay | TextOverlay, below: int, above: int) -> Graphic:
    """``below`` and ``above`` are the pixels that captions and logo take at the bottom and top of the safe zone."""
    lift = below if item.place in BOTTOM_ROW and getattr(item, "area", "safe") == "safe" else 0
    if (isinstance(item, TextOverlay) and item.place in TOP_ROW) or item.place is Place.TOP:
        lift = -above
    if isinstance(item, ImageOverlay):
        return Graphic(
            item.start_frame,
            item.end_frame,
            item.place,
            image=item.asset,
            size=item.size,
            margin=item.margin,
            area=item.area,
            max_height=item.max_height,
            shadow=item.shadow,
            opacity=item.opacity,
            fade=item.fade_frames,
            lift=lift,
        )
    sizes = {"label": LABEL_SIZE, "headline": HEADLINE_SIZE, "meme": MEME_SIZE, "plain": LABEL_SIZE}
    roles = {"label": "body", "headline": "headline", "meme": "display", "plain": "regular"}
    styles = {"label": "plate", "headline": "shadow", "meme": "outline", "plain": "shadow"}
    return Graphic(
        item.start_frame,
        item.end_frame,
        item.place,
        text=item.text.upper() if item.style == "meme" else item.text,
        font=item.font,
        role=roles[item.style],
        style="plate" if item.plate else styles[item.style],
        size=item.size or sizes[item.style],
        own_size=item.size is not None,
        max_width=item.max_width,
        color=item.color,
        plate=item.plate,
        opacity=item.opacity,
        fade=item.fade_frames,
        lift=lift,
    )


def _marks(spec: RenderSpec) -> Iterator[Graphic]:
    """Disclosures stand in one corner that nothing else uses, over the whole length."""
    texts = ([SIMULATED_TEXT] if spec.marks.simulated else []) + ([spec.marks.ai_label] if spec.marks.ai_label else [])
    if not texts:
        return
    taken = {item.place for item in spec.overlays}
    if any(getattr(segment, "bar", None) for segment in spec.segments):
        taken |= set(TOP_ROW)  # a bar is for its words alone
    place = next((corner for corner in CORNERS if corner not in taken), Place.LEFT)
    captioned = spec.captions.cues and spec.captions.mode == "burned" and spec.captions.position == "bottom"
    lift = caption_height(spec.output) if captioned and place in (Place.BOTTOM_LEFT, Place.BOTTOM_RIGHT) else 0
    text = " · ".join(texts)
    look = Graphic(0, spec.duration_frames, place, text=text, size=MARK_SIZE, opacity=0.86, lift=lift)
    yield replace(look, max_width=MARK_WIDTH, max_lines=MARK_LINES)


def _mark_height(marks: list[Graphic], spec: RenderSpec, files: Mapping[str, Path]) -> int:
    """A disclosure covers nothing and is covered by nothing: words at the top begin below it."""
    heights = [_words(mark, files, spec.output).height for mark in marks if mark.place in TOP_ROW]
    gap = round(spec.output.height * GAP)
    return max(heights) + gap if heights else 0


def _logo_height(shown: ImageOverlay | TextOverlay, spec: RenderSpec, files: Mapping[str, Path]) -> int:
    """What pictures at the top of the safe zone take there while an overlay is shown, so that words start below."""
    heights = [0]
    for item in spec.overlays:
        if item.end_frame <= shown.start_frame or item.start_frame >= shown.end_frame:
            continue
        if isinstance(item, ImageOverlay) and item.place in TOP_ROW and item.area == "safe" and item.asset in files:
            with Image.open(files[item.asset]) as image:
                tall = item.size * spec.output.width * image.height / image.width
            heights.append(round(min(tall, item.max_height * spec.output.height) + spec.output.height * 0.015))
    return max(heights)


def caption_height(output: Output) -> int:
    """Pixels that captions take at most, with the air around them."""
    size = round(text_base(output.width, output.height) * CAPTION_SIZE)
    return round(size * 1.22 * 2 + size * 1.3)


def _box(graphic: Graphic, output: Output) -> tuple[int, int, int, int]:
    """The safe box, narrowed by the graphic's own margin; what stands in the middle keeps to the frame's middle."""
    width, height = output.width, output.height
    safe = CHANNELS[output.channel].safe_box(width, height).pixels(width, height)
    x0, y0, x1, y1 = safe if graphic.area == "safe" else (0, 0, width, height)
    edge = round(graphic.margin * min(width, height))
    x0, y0, x1, y1 = max(x0, edge), max(y0, edge), min(x1, width - edge), min(y1, height - edge)
    if graphic.place in (Place.TOP, Place.CENTER, Place.BOTTOM):
        x0 = max(x0, width - x1)
        x1 = width - x0
    return x0, y0, x1, y1


def _fonts(graphic: Graphic, files: Mapping[str, Path]) -> FontChain:
    brand = files.get(graphic.font) if graphic.font else None
    return chain(graphic.role, brand_font=brand, text=graphic.text)


def ink_of(graphic: Graphic) -> Ink:
    color = rgb(graphic.color)
    if graphic.style == "plate":
        ground = PLATE if rim(color) == (0, 0, 0) else LIGHT_PLATE
        return Ink(color=color, plate=(*rgb(graphic.plate), 255) if graphic.plate else ground)
    if graphic.style == "outline":
        return Ink(color=color, outline=0.085, outline_color=rim(color))
    return haloed(color)


def _words(graphic: Graphic, files: Mapping[str, Path], output: Output) -> Image.Image:
    ink = ink_of(graphic)
    block = fitted_block(graphic, files, output)
    if graphic.spoken is None:
        return draw_block(block, ink)
    first, last = graphic.spoken
    return draw_block(block, ink, highlight=(first, last, rgb(graphic.accent)))


def fitted_block(graphic: Graphic, files: Mapping[str, Path], output: Output) -> Block:
    """The words as they are set: lines, letter size, and what found no place."""
    smallest = minimum_size(output.height)
    size = max(round(_letter_base(graphic, output) * graphic.size), smallest)
    width, height = text_box(graphic, output, size)
    fonts = _fonts(graphic, files)
    return fit(
        graphic.text, fonts, width=width, height=height, size=size, smallest=smallest, max_lines=graphic.max_lines
    )


def picture_size(graphic: Graphic, output: Output, size: tuple[int, int]) -> tuple[int, int]:
    """Pixels that a picture of ``size`` takes: as large as its limits allow, always the same scale both ways."""
    x0, y0, x1, y1 = _box(graphic, output)
    wide = min(round(graphic.size * output.width), x1 - x0)
    high = min(round(graphic.max_height * output.height), y1 - y0)
    scale = min(wide / size[0], high / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _letter_base(graphic: Graphic, output: Output) -> float:
    """A size that the spec gives is a fraction of the height; ours are adapted to the frame's shape."""
    return output.height if graphic.own_size else text_base(output.width, output.height)


def _with_shadow(image: Image.Image) -> Image.Image:
    """A soft shadow below and around what is not transparent."""
    reach = _reach(image.width)
    size = (image.width + 2 * reach, image.height + 2 * reach)
    mask = Image.new("L", size, 0)
    mask.paste(image.getchannel("A"), (reach, reach + reach // 2))
    soft = mask.filter(ImageFilter.GaussianBlur(reach / 2.2)).point(lambda value: value * 5 // 10)
    out = Image.new("RGBA", size, (0, 0, 0, 0))
    out.putalpha(soft)
    out.alpha_composite(image, (reach, reach))
    return out


def _reach(width: int) -> int:
    """How far the shadow of a picture of that width goes."""
    return max(4, round(width * 0.05))


def position(graphic: Graphic, output: Output, size: tuple[int, int]) -> tuple[int, int]:
    """Top left corner of a bitmap of ``size`` pixels in its place."""
    x0, y0, x1, y1 = _box(graphic, output)
    name = graphic.place.value
    x = x0 if name.endswith("left") else x1 - size[0] if name.endswith("right") else (x0 + x1 - size[0]) // 2
    y = y0 if name.startswith("top") else y1 - size[1] if name.startswith("bottom") else (y0 + y1 - size[1]) // 2
    return x, min(max(y0, y - graphic.lift), max(y0, y1 - size[1]))
