"""Drawings (SVG) become pictures; what would run, be fetched or need a font is refused with what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genengine.media import Limits, MediaRejected, ingest
from tests.media.support import MEDIA

HEAD = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"'
SHAPE = '<rect width="20" height="20" fill="#f2603c"/>'
BAD = {
    "svg_script": (
        f"<svg {HEAD}><script>alert(1)</script>{SHAPE}</svg>",
        f'<svg {HEAD} onload="alert(1)">{SHAPE}</svg>',
        f'<svg {HEAD}><a href="javascript:alert(1)">{SHAPE}</a></svg>',
        f"<svg {HEAD}><foreignObject><p>x</p></foreignObject></svg>",
    ),
    "svg_external": (
        f'<svg {HEAD}><image href="file:///etc/passwd"/></svg>',
        f'<svg {HEAD} xmlns:xlink="http://www.w3.org/1999/xlink"><use xlink:href="https://x.example/a.svg#b"/></svg>',
        f'<svg {HEAD}><image href="data:image/svg+xml;base64,PHN2Zy8+"/></svg>',
        f"<svg {HEAD}><style>@import 'https://x.example/a.css';</style>{SHAPE}</svg>",
        f'<svg {HEAD}><rect width="9" height="9" style="fill: url( https://x.example/a.svg#b )"/></svg>',
        f'<?xml version="1.0"?><?xml-stylesheet href="a.css"?><svg {HEAD}>{SHAPE}</svg>',
    ),
    "svg_entities": (f'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg {HEAD}><desc>&b;</desc></svg>',),
    "svg_text": (f'<svg {HEAD}><text x="2" y="12">Aurora</text></svg>',),
    "svg_size": (
        f'<svg xmlns="http://www.w3.org/2000/svg">{SHAPE}</svg>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="900000" height="900000">{SHAPE}</svg>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9000 1">{SHAPE}</svg>',
    ),
    "svg_empty": (f"<svg {HEAD}></svg>",),
    "svg_damaged": (f"<svg {HEAD}><rect></svg>", f'<?xml version="1.0"?><note><svg {HEAD}/></note>'),
}


def drawn(content: str, tmp_path: Path, name: str = "logo.svg", limits: Limits | None = None) -> Image.Image:
    (tmp_path / name).write_text(content, encoding="utf-8")
    made = ingest(tmp_path / name, name=name, out_dir=tmp_path / "out", limits=limits)
    assert (made.kind, made.media_type) == ("image", "image/png")
    with Image.open(made.path) as image:
        assert image.size == (made.width, made.height)
        return image.convert("RGBA")


def refused(content: str, tmp_path: Path, limits: Limits | None = None) -> MediaRejected:
    with pytest.raises(MediaRejected) as caught:
        drawn(content, tmp_path, limits=limits)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    assert str(tmp_path) not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", ["logo-light", "logo-dark", "mark"])
def test_the_sample_brands_drawings_look_like_its_pictures(name: str, tmp_path: Path) -> None:
    made = drawn((MEDIA / "brand" / f"{name}.svg").read_text(encoding="utf-8"), tmp_path)
    assert max(made.size) == 2048, "what a 4K master needs of a logo, and more"
    with Image.open(MEDIA / "brand" / f"{name}.png") as known:
        small = known.convert("RGBA").resize((200, 200 * known.height // known.width))
    again = made.resize(small.size)
    one, other = (np.asarray(image, float) for image in (small, again))
    alpha = one[..., 3:] / 255
    assert np.abs(one[..., 3] - other[..., 3]).mean() < 3
    assert np.abs((one - other)[..., :3] * alpha).mean() < 3


def test_transparency_is_kept_and_colours_are_exact(tmp_path: Path) -> None:
    made = np.asarray(drawn(f"<svg {HEAD}>{SHAPE}</svg>", tmp_path))
    assert made.shape[:2] == (1024, 2048)
    assert tuple(made[500, 500]) == (0xF2, 0x60, 0x3C, 255)
    assert made[500, 1500, 3] == 0


def test_what_drawing_programs_write_beside_the_picture_does_no_harm(tmp_path: Path) -> None:
    declared = '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">'
    inside = (
        '<title>Logo</title><metadata><rdf xmlns="urn:r" resource="https://x.example/"/></metadata>'
        '<defs><linearGradient id="g"><stop offset="0" stop-color="#123456"/></linearGradient></defs>'
        '<style>.a { fill: url(#g) }</style><a href="https://x.example/"><rect class="a" width="20" height="20"/></a>'
    )
    made = np.asarray(drawn(f"{declared}<svg {HEAD}>{inside}</svg>", tmp_path))
    assert tuple(made[500, 500]) == (0x12, 0x34, 0x56, 255)


@pytest.mark.parametrize(("code", "content"), [(code, one) for code, every in BAD.items() for one in every])
def test_what_runs_fetches_or_cannot_be_drawn_is_refused(code: str, content: str, tmp_path: Path) -> None:
    assert refused(content, tmp_path).code == code


def test_a_drawing_that_multiplies_itself_is_stopped_by_its_limits(tmp_path: Path) -> None:
    ten = ["".join([f'<use href="#g{level}"/>'] * 10) for level in range(11)]
    uses = "".join(f'<g id="g{level + 1}">{inside}</g>' for level, inside in enumerate(ten))
    content = f'<svg {HEAD}><defs><g id="g0">{SHAPE}</g>{uses}</defs><use href="#g11"/></svg>'
    assert refused(content, tmp_path, Limits(drawing_cpu_s=2, drawing_memory=600 << 20)).code == "svg_too_complex"


def test_a_drawing_larger_than_it_may_be_is_refused(tmp_path: Path) -> None:
    content = f"<svg {HEAD}>{SHAPE}<!--{'x' * 2000}--></svg>"
    assert refused(content, tmp_path, Limits(drawing_bytes=1000)).code == "svg_too_large"


def test_a_web_page_with_a_drawing_in_it_is_a_web_page(tmp_path: Path) -> None:
    assert refused(f"<!doctype html><p>x<svg {HEAD}>{SHAPE}</svg>", tmp_path).code == "markup_refused"
