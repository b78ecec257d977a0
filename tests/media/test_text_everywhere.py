"""Strings in twelve scripts × four ratios × channels: inside the safe zone, legible, whole, on at most two lines.

Judged on the bitmaps that are blended into the frame, with what the layout says about lines and sizes beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genengine.media import CHANNELS, parse_spec
from genengine.media.channels import RATIO_SIZES
from genengine.media.compose.graphics import Graphic, draw, graphics
from genengine.media.text.fonts import chain
from genengine.media.text.layout import clean, minimum_size

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
SHORT = {name: " ".join(text.split()[:3])[:24] for name, text in LONG.items()}
WORD = {"endless": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"}
CHANNEL = {"9:16": "tiktok", "4:5": "instagram_feed", "1:1": "instagram_feed", "16:9": "connected_tv"}


def spec_of(text: str, ratio: str, **changes: Any) -> dict[str, Any]:
    width, height = RATIO_SIZES[ratio]
    return {
        "version": "1.0",
        "output": {"width": width, "height": height, "channel": CHANNEL[ratio]},
        "segments": [{"type": "text", "duration_frames": 90, "background": {"from": "#777777"}}],
        "captions": {"cues": [{"start_frame": 0, "end_frame": 90, "text": text}]},
    } | changes


def extent(graphic: Graphic, spec: Any) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1) of the pixels that the bitmap changes."""
    box = draw(graphic, spec, {}).boxes[0]
    rows, columns = np.nonzero(box.keep < 0.98)
    assert len(rows), graphic.text
    left, top = box.columns.start, box.rows.start
    return left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1


def inside(graphic: Graphic, spec: Any) -> None:
    width, height = spec.output.width, spec.output.height
    x0, y0, x1, y1 = CHANNELS[spec.output.channel].safe_box(width, height).pixels(width, height)
    left, top, right, bottom = extent(graphic, spec)
    assert x0 <= left < right <= x1, (graphic.text, left, right)
    assert y0 <= top < bottom <= y1, (graphic.text, top, bottom)


@pytest.mark.parametrize("ratio", RATIO_SIZES)
@pytest.mark.parametrize("name", [*LONG, *WORD])
@pytest.mark.parametrize("style", ["plate", "outline"])
def test_captions_of_any_script_stay_inside_and_lose_nothing(name: str, ratio: str, style: str) -> None:
    text = (LONG | WORD)[name]
    spec = parse_spec(spec_of(text, ratio))
    spec_styled = parse_spec(
        spec_of(text, ratio) | {"captions": {"style": style, "cues": spec.source["captions"]["cues"]}}
    )
    shown = graphics(spec_styled, {})
    assert "".join("".join(part.text for part in shown).split()) == "".join(clean(text).split())
    assert shown[0].start == 0
    assert shown[-1].end == 90
    for part in shown:
        assert chain(text=part.text).missing(part.text) == []
        inside(part, spec_styled)


@pytest.mark.parametrize("ratio", RATIO_SIZES)
@pytest.mark.parametrize("style", ["label", "headline", "meme", "plain"])
@pytest.mark.parametrize("name", SHORT)
def test_overlays_of_any_script_and_style_stay_inside(name: str, style: str, ratio: str) -> None:
    for place in ("top_left", "center", "bottom"):
        item = {"type": "text", "text": SHORT[name], "style": style, "place": place}
        spec = parse_spec(spec_of("x", ratio, overlays=[item], captions={"cues": []}))
        (graphic,) = graphics(spec, {})
        inside(graphic, spec)


@pytest.mark.parametrize("ratio", RATIO_SIZES)
def test_no_line_is_lower_than_the_legible_minimum(ratio: str) -> None:
    """A capital is about 0.7 of the letter size: even the longest label draws letters of the minimum size."""
    spec = parse_spec(spec_of("x", ratio, overlays=[{"type": "text", "text": "H" * 60, "size": 0.022}], captions={}))
    (graphic,) = graphics(spec, {})
    box = draw(graphic, spec, {}).boxes[0]
    bright = (box.add - 0.5) > 180
    rows = np.flatnonzero(bright.any(axis=1))
    assert len(rows)
    run = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)[0]
    assert len(run) >= 0.68 * minimum_size(spec.output.height) - 1


@pytest.mark.parametrize("ground", ["#000000", "#ffffff", "#777777", "#ffe000"])
def test_captions_have_contrast_of_4_5_to_1_on_any_ground(ground: str) -> None:
    """WCAG contrast of the letters against what is beside them, on the blended plate and on the outline's rim."""
    from genengine.media.compose.planes import frame_of_rgb, rgb_of_frame

    for style in ("plate", "outline"):
        data = spec_of(
            "Cold brew",
            "9:16",
            captions={"style": style, "cues": [{"start_frame": 0, "end_frame": 90, "text": "Cold brew"}]},
        )
        spec = parse_spec(data)
        (graphic,) = graphics(spec, {})
        tone = [int(ground[i : i + 2], 16) for i in (1, 3, 5)]
        frame = frame_of_rgb(np.full((1920, 1080, 3), tone, np.uint8))
        layer = draw(graphic, spec, {})
        layer.blend(frame, (1080, 1920), 1.0)
        box = layer.boxes[0]
        pixels = rgb_of_frame(frame, 1080, 1920)[box.rows, box.columns]
        alpha = 1 - box.keep
        linear = np.where(pixels / 255 <= 0.04045, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
        luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
        letters, beside = np.percentile(luminance[alpha > 0.7], [98, 10])
        assert (letters + 0.05) / (beside + 0.05) >= 4.5, (style, ground)
