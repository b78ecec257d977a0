"""Two hundred strings in twelve scripts × four ratios: whole, legible, on at most two lines, inside the safe zone, and
readable on any ground. Layout is judged for all of them, pixels for the hard ones."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from genengine.media import CHANNELS, parse_spec
from genengine.media.channels import RATIO_SIZES
from genengine.media.compose.graphics import Graphic, draw, graphics
from genengine.media.compose.pictures import load_rgb
from genengine.media.compose.placing import placed
from genengine.media.compose.planes import frame_of_rgb, rgb_of_frame
from genengine.media.text.fonts import chain
from genengine.media.text.layout import clean, minimum_size
from tests.media.support import MEDIA

LONG = {
    "latin": "Steeped for eighteen hours in cold water, whole beans only, and not one gram of added sugar in any can",
    "umlauts": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, während Ängste müßig schweigen",
    "cyrillic": "Восемнадцать часов в холодной воде, только цельные зёрна и ни грамма добавленного сахара в банке",
    "greek": "Δεκαοκτώ ώρες σε κρύο νερό, μόνο ολόκληροι κόκκοι και ούτε ένα γραμμάριο ζάχαρης στο κουτί",
    "arabic": "ثماني عشرة ساعة في الماء البارد، حبوب كاملة فقط، بدون سكر مضاف (120 mg كافيين) في كل علبة صباحا",
    "hebrew": "שמונה עשרה שעות במים קרים, פולים שלמים בלבד, ללא סוכר (120 mg קפאין) בכל פחית בבוקר קר",
    "thai": "แช่ในน้ำเย็นสิบแปดชั่วโมงเมล็ดกาแฟเต็มเมล็ดไม่เติมน้ำตาลในทุกกระป๋องพร้อมดื่มทุกเช้า",
    "devanagari": "अठारह घंटे ठंडे पानी में, केवल साबुत दाने, और किसी भी डिब्बे में एक ग्राम भी अतिरिक्त चीनी नहीं",
    "chinese": "冷水慢泡十八小时，只用整粒咖啡豆，每一罐都不额外加糖，每天早晨唤醒你的第一口清爽好味道",
    "japanese": "冷たい水で十八時間じっくり抽出。豆は丸ごとだけ、砂糖は一切加えません。毎朝の最初の一口をどうぞ。",
    "korean": "차가운 물에서 열여덟 시간 동안 천천히 우려낸 커피, 통원두만 사용하고 설탕은 전혀 넣지 않았습니다",
    "emoji": "Cold ☕ brew 👩🏽‍🚀 for 🇫🇷 mornings 👨‍👩‍👧‍👦: 50% off {today} 'only' \\n %{x} <b>now</b> & then 🎉🎉🎉",
}
ODD = {
    "endless word": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "address": "https://shop.example.com/cold-brew/aurora?utm_source=video&utm_medium=ad_2026#order-today",
    "soft hyphens": "Kaffee\u00adröst\u00admaschinen\u00adreinigungs\u00adanleitung für Einsteiger und Profis",
    "held together": "Seulement 12\u00a0% de plus pour 500\u202fml\u00a0!",
    "mixed directions": "Aurora قهوة باردة 2026 (Cold Brew) جديد – שלום 50% now",
    "joined emoji": "👩🏽‍🚀👨‍👩‍👧‍👦🏳️‍🌈👍🏿🇫🇷🇩🇪❤️‍🔥" * 3,
    "brackets": "「冷たい」『コーヒー』（一日一本）、〈朝〉に【新登場】！「買う」なら今。",
    "one sign": "!",
}
CHANNEL = {"9:16": "tiktok", "4:5": "instagram_feed", "1:1": "instagram_feed", "16:9": "connected_tv"}


def strings() -> dict[str, str]:
    """Each script's text from one word (or four signs) up to its whole length, and the odd ones."""
    out = dict(ODD)
    for name, text in LONG.items():
        words = text.split(" ") if text.count(" ") > 4 else [text[i : i + 4] for i in range(0, len(text), 4)]
        glue = " " if text.count(" ") > 4 else ""
        for count in range(1, 17):
            share = max(1, round(len(words) * count / 16))
            out[f"{name} {count}"] = glue.join(words[:share])
    return out


STRINGS = strings()


def spec_of(texts: list[str], ratio: str, scale: float = 1.0, **changes: Any) -> Any:
    width, height = (round(side * scale / 2) * 2 for side in RATIO_SIZES[ratio])
    cues = [{"start_frame": index * 90, "end_frame": index * 90 + 90, "text": text} for index, text in enumerate(texts)]
    return parse_spec(
        {
            "version": "1.0",
            "output": {"width": width, "height": height, "channel": CHANNEL[ratio]},
            "segments": [{"type": "text", "duration_frames": 90 * max(1, len(texts))}],
            "captions": {"cues": cues},
        }
        | changes
    )


def test_there_are_two_hundred_strings() -> None:
    assert len(STRINGS) >= 200


@pytest.mark.parametrize("ratio", RATIO_SIZES)
def test_two_hundred_captions_fit_whole_and_legible_in_the_safe_zone(ratio: str) -> None:
    texts = list(STRINGS.values())
    spec = spec_of(texts, ratio)
    width, height = spec.output.width, spec.output.height
    x0, y0, x1, y1 = CHANNELS[spec.output.channel].safe_box(width, height).pixels(width, height)
    cards: dict[int, list[Any]] = {}
    for item in placed(spec, {}):
        cards.setdefault(item.graphic.start // 90, []).append(item)
        assert item.lines <= 2, item
        assert item.letters >= minimum_size(height) >= height * 0.022, item
        assert not item.lost, item
        assert x0 <= item.box[0] <= item.box[2] <= x1, item
        assert y0 <= item.box[1] <= item.box[3] <= y1, item
        assert chain(text=item.graphic.text).missing(item.graphic.text) == []
    for index, text in enumerate(texts):
        shown = "".join(part.graphic.text for part in cards[index])
        assert "".join(shown.split()) == "".join(clean(text).split())
        times = [(part.graphic.start, part.graphic.end) for part in cards[index]]
        assert (times[0][0], times[-1][1]) == (index * 90, index * 90 + 90)
        assert all(a[1] == b[0] for a, b in pairwise(times))


@pytest.mark.parametrize("style", ["label", "headline", "meme", "plain"])
@pytest.mark.parametrize("ratio", RATIO_SIZES)
def test_labels_and_headlines_of_any_script_fit_whole_and_legible(ratio: str, style: str) -> None:
    """What is too long for one card comes as the next one; no word is dropped."""
    texts = [*ODD.values(), *LONG.values()]
    items = [
        {"type": "text", "text": text, "style": style, "place": place, "start_frame": 0, "end_frame": 90}
        for text in texts
        for place in ("bottom",)
    ]
    spec = spec_of([], ratio, overlays=items)
    width, height = spec.output.width, spec.output.height
    x0, y0, x1, y1 = CHANNELS[spec.output.channel].safe_box(width, height).pixels(width, height)
    shown: dict[str, str] = {}
    for item in placed(spec, {}):
        assert item.lines <= 2
        assert item.letters >= minimum_size(height)
        assert not item.lost
        assert x0 <= item.box[0] <= item.box[2] <= x1, item
        assert y0 <= item.box[1] <= item.box[3] <= y1, item
        shown[item.path] = shown.get(item.path, "") + item.graphic.text
    for index, item in enumerate(items):
        text = item["text"].upper() if style == "meme" else item["text"]
        assert "".join(shown[f"$.overlays[{index}]"].split()) == "".join(clean(text).split())


def extent(graphic: Graphic, spec: Any) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1) of the pixels that the bitmap changes."""
    box = draw(graphic, spec, {}).boxes[0]
    rows, columns = np.nonzero(box.keep < 0.98)
    assert len(rows), graphic.text
    left, top = box.columns.start, box.rows.start
    return left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1


@pytest.mark.parametrize("ratio", RATIO_SIZES)
@pytest.mark.parametrize("style", ["plate", "outline"])
def test_no_drawn_pixel_leaves_the_safe_zone(ratio: str, style: str) -> None:
    """The bitmaps themselves, at half size, for the longest string of every script and the odd ones."""
    texts = [*LONG.values(), *ODD.values()]
    spec = spec_of(texts, ratio, 0.5)
    spec = parse_spec(dict(spec.source) | {"captions": {"style": style, "cues": spec.source["captions"]["cues"]}})
    width, height = spec.output.width, spec.output.height
    x0, y0, x1, y1 = CHANNELS[spec.output.channel].safe_box(width, height).pixels(width, height)
    for part in graphics(spec, {}):
        left, top, right, bottom = extent(part, spec)
        assert x0 <= left < right <= x1, part.text
        assert y0 <= top < bottom <= y1, part.text


@pytest.mark.parametrize("ratio", RATIO_SIZES)
def test_no_line_is_lower_than_the_legible_minimum(ratio: str) -> None:
    """A capital is about 0.7 of the letter size: even the longest label draws letters of the minimum size."""
    spec = spec_of([], ratio, overlays=[{"type": "text", "text": "H" * 60, "size": 0.022}], captions={})
    graphic = graphics(spec, {})[0]
    box = draw(graphic, spec, {}).boxes[0]
    bright = (box.add - 0.5) > 180
    rows = np.flatnonzero(bright.any(axis=1))
    assert len(rows)
    run = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)[0]
    assert len(run) >= 0.68 * minimum_size(spec.output.height) - 1


@cache
def grounds() -> dict[str, NDArray[np.uint8]]:
    """White, yellow, grey, black, stripes, a gradient and the busiest photographs, 540×960."""
    size = (960, 540, 3)
    ramp = np.linspace(0, 255, 540, dtype=np.uint8)
    stripes = np.repeat(np.where(np.arange(540) % 6 < 3, 255, 0).astype(np.uint8)[None, :, None], 960, 0)
    out = {
        name: np.full(size, tone, np.uint8)
        for name, tone in (("white", 255), ("grey", 119), ("black", 0), ("yellow", (255, 224, 0)))
    }
    out["gradient"] = np.broadcast_to(ramp[None, :, None], size).copy()
    out["stripes"] = np.broadcast_to(stripes, size).copy()
    for photo in ("craft-paint-brushes", "nature-dandelion-sunset"):
        out[photo] = cv2.resize(load_rgb(MEDIA / "photos" / f"{photo}.jpg"), (540, 960)).astype(np.uint8)
    return out


def luminance(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    unit = pixels / 255
    return np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


LOOKS = {
    "caption on a plate": {"captions": {"style": "plate"}},
    "caption with an outline": {"captions": {"style": "outline"}},
    "dark caption": {"captions": {"style": "plate", "color": "#0e1b33"}},
    "headline": {"style": "headline"},
    "dark headline": {"style": "headline", "color": "#0e1b33"},
    "coral headline": {"style": "headline", "color": "#f2603c"},
    "plain": {"style": "plain"},
    "label": {"style": "label"},
    "meme": {"style": "meme"},
}


@pytest.mark.parametrize("ground", grounds())
@pytest.mark.parametrize("look", LOOKS)
def test_words_have_contrast_of_4_5_to_1_on_any_ground(look: str, ground: str) -> None:
    """WCAG contrast on the rendered pixels: the heart of the letters against the pixels that touch them."""
    words, letters, beside = _words_and_where(look)
    frame = frame_of_rgb(grounds()[ground])
    words.blend(frame, (540, 960), 1.0)
    pixels = rgb_of_frame(frame, 540, 960)
    light = luminance(pixels)
    heart, rim = float(np.median(light[letters])), light[beside]
    worst = np.percentile(rim, 25 if heart < 0.2 else 75)  # the rest are the letters' own soft edges
    assert (max(heart, worst) + 0.05) / (min(heart, worst) + 0.05) >= 4.5, (heart, worst)


@cache
def _words_and_where(look: str) -> tuple[Any, NDArray[np.bool_], NDArray[np.bool_]]:
    """What a look draws, and where its letters and their rim are: the same on every ground."""
    chosen: dict[str, Any] = dict(LOOKS[look])
    cue = {"start_frame": 0, "end_frame": 90, "text": "Cold brew"}
    if "captions" in chosen:
        spec = spec_of([], "9:16", 0.5, captions=chosen["captions"] | {"cues": [cue]})
    else:
        spec = spec_of([], "9:16", 0.5, overlays=[{"type": "text", "text": "Cold brew", **chosen}], captions={})
    (graphic,) = graphics(spec, {})
    return draw(graphic, spec, {}), *_letters_and_rim(graphic, spec)


def _letters_and_rim(graphic: Graphic, spec: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the letters' solid middle is and the ring just outside them, found by drawing on two opposite grounds."""
    color = np.array([int(graphic.color[i : i + 2], 16) for i in (1, 3, 5)])
    ground = np.full((960, 540, 3), 128, np.uint8)
    frame = frame_of_rgb(ground)
    draw(graphic, spec, {}).blend(frame, (540, 960), 1.0)
    near = np.abs(rgb_of_frame(frame, 540, 960).astype(int) - color).max(axis=2) < 26
    solid = cv2.erode(near.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    inner = cv2.dilate(near.astype(np.uint8), np.ones((3, 3), np.uint8))
    outer = cv2.dilate(near.astype(np.uint8), np.ones((5, 5), np.uint8))
    return solid, (outer > 0) & (inner == 0)
