"""The brand kit in a master: its colours, its fonts, and a place where its logo has room. Values in, values out.

`kit_values` is known with the plan; `settle_brand` needs the files: weights of fonts and sizes of logos are in them.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jobs.plan import BrandPlan

log = logging.getLogger(__name__)
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
FONTS = "font-"
LOGO, OTHER_LOGO = "logo", "logo-other"
CORNERS = ("bottom_right", "bottom_left", "top_right", "top_left")
CARD_PLACES = ("top", "bottom")
SMALLER = (1.0, 0.75, 0.5)
LOGO_MIN_SIZE, LOGO_CLEAR_SPACE = 0.1, 0.25


def kit_assets(brand: BrandPlan, hashes: Mapping[str, str]) -> dict[str, Any]:
    """Return the kit's fonts as files of a spec; a font that is not in the library any more is left out."""
    there = [hashes[pk] for pk in brand.font_asset_ids if pk in hashes]
    return {f"{FONTS}{number}": {"kind": "font", "sha256": sha256} for number, sha256 in enumerate(there)}


def kit_values(brand: BrandPlan, assets: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `brand` of a RenderSpec; empty when the kit has neither colours nor fonts nor a logo."""
    found = [value.lower() for value in brand.colours.values() if COLOUR.fullmatch(value)]
    fonts = [name for name in assets if name.startswith(FONTS)]
    values: dict[str, Any] = {}
    if found:
        values["colors"] = list(dict.fromkeys(found))
    if fonts:
        values["fonts"] = {"headline": fonts[0], "body": fonts[-1]}
    if LOGO in assets:
        values["logo"] = {"asset": LOGO, "min_size": LOGO_MIN_SIZE, "clear_space": LOGO_CLEAR_SPACE}
    return values


def settle_brand(spec: dict[str, Any], files: Mapping[str, Path]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the spec with what only the files tell, and what the master's report says about the brand.

    The heaviest font sets headlines, the lightest captions. The logo takes the first place, then the first smaller
    size, at which nothing stands in its clear space, the product is not covered and the picture behind has another
    tone; the kit's other logo is tried wherever the first has nearly the picture's tone. Where neither has such a
    place, the best of those with clear space is taken, with a soft shadow where the logo would drown; where none has
    clear space, it is left out of the rules and stands as planned. The report says so.
    """
    spec, facts = _settled(spec, files)
    return _without_unused_logo(spec), facts


def _settled(spec: dict[str, Any], files: Mapping[str, Path]) -> tuple[dict[str, Any], dict[str, str]]:
    facts = {"mode": "brand-safe" if spec["constraints"]["brand_safe"] else "free", "why": _why(spec)}
    if "brand" not in spec:
        return spec, facts
    brand = dict(spec["brand"])
    if "fonts" in brand:
        brand["fonts"] = _by_weight(files)
    spec = spec | {"brand": brand}
    if "logo" not in brand:
        return spec, facts
    found = _placed_logo(spec, files)
    if found is not None:
        return found[0], facts | found[1]
    log.warning("the logo has no room of its own", extra={"title": spec["metadata"]["title"]})
    kept = {name: value for name, value in brand.items() if name != "logo"}
    words = {"logo": "No place leaves the logo its clear space: shorten the words that are shown at the end."}
    return {**{k: v for k, v in spec.items() if k != "brand"}, **({"brand": kept} if kept else {})}, facts | words


def _placed_logo(spec: dict[str, Any], files: Mapping[str, Path]) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Return the spec with the logo in its best place, and what there is to say; None where it has no room."""
    from genengine.media import parse_spec
    from genengine.media.compose.clearance import crowding  # a picture library: for workers, not for the web
    from genengine.media.compose.placing import placed
    from genengine.media.preflight.behind import Behind
    from genengine.media.preflight.logo import logo_stand

    behind = Behind(parse_spec(spec), files)
    other = OTHER_LOGO in files
    roomy = []
    for first in _placements(spec):
        for candidate in (first, _with_other_logo(first)) if other else (first,):
            read = parse_spec(candidate)
            items = placed(read, files)
            if any(crowding(read, files, items)):
                continue
            stand = logo_stand(read, files, items, behind)
            if stand.is_good:
                return candidate, _said_of(candidate)
            roomy.append((stand, candidate))
            if stand.stands_out:
                break  # another tone is no remedy for a covered product
    if not roomy:
        return None
    stand, best = max(roomy, key=lambda pair: (not pair[0].covers_subject, pair[0].contrast or 0.0))
    if stand.stands_out:
        return best, _said_of(best)
    tone = f"The picture has nearly the tone of {'both logos' if other else 'the logo'} everywhere"
    overlays = [item | {"shadow": True} if _is_logo(item) else item for item in best["overlays"]]
    shadowed = best | {"overlays": overlays}
    if not stand.shadow_helps or any(crowding(parse_spec(shadowed), files)):
        fix = "choose another last scene" if other else "add the logo's other version to the brand kit"
        return best, _said_of(best) | {"logo_tone": f"{tone}: {fix}."}
    return shadowed, _said_of(best) | {"logo_tone": f"{tone}: a soft shadow is drawn behind it."}


def _with_other_logo(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec with the kit's other logo in the place of the first."""
    overlays = [item | {"asset": OTHER_LOGO} if _is_logo(item) else item for item in spec["overlays"]]
    brand = spec["brand"] | {"logo": spec["brand"]["logo"] | {"asset": OTHER_LOGO}}
    return spec | {"overlays": overlays, "brand": brand}


def _said_of(spec: Mapping[str, Any]) -> dict[str, str]:
    if spec["brand"]["logo"]["asset"] != OTHER_LOGO:
        return {}
    return {"logo_version": "The kit's other logo: the first has less than 3 to 1 against the picture there."}


def _is_logo(item: Mapping[str, Any]) -> bool:
    return item.get("asset") in (LOGO, OTHER_LOGO)


def _without_unused_logo(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec without the version of the logo that it does not show."""
    shown = {item["asset"] for item in spec["overlays"] if _is_logo(item)}
    hidden = {LOGO, OTHER_LOGO} & set(spec["assets"]) - shown
    return spec | {"assets": {name: ref for name, ref in spec["assets"].items() if name not in hidden}}


def _why(spec: Mapping[str, Any]) -> str:
    from genengine.media.spec.brand import CALM

    lively = {s["transition"]["type"] for s in spec["segments"] if "transition" in s} - CALM
    if lively:
        return f"The plan asks for {' and '.join(sorted(lively))}, which brand-safe work does not have."
    return "Calm transitions, the kit's own fonts, colours and logo."


def _by_weight(files: Mapping[str, Path]) -> dict[str, str]:
    from genengine.media.text.weight import weight_class

    fonts = sorted((name for name in files if name.startswith(FONTS)), key=lambda name: weight_class(files[name]))
    return {"headline": fonts[-1], "body": fonts[0]}


def _placements(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the spec with its logo in every place and size, the planned one first. On a card it would rather be small
    at the top than large at the bottom, where the card's words may stand."""
    at = next(n for n, item in enumerate(spec["overlays"]) if item.get("asset") == LOGO)
    logo = spec["overlays"][at]
    barred = any("bar" in segment for segment in spec["segments"])  # a bar is for its words alone
    corners = [place for place in CORNERS if not (barred and place.startswith("top"))]
    tries = [(place, share) for share in SMALLER for place in corners]
    if logo["place"] not in CORNERS:
        tries = [(place, share) for place in CARD_PLACES for share in SMALLER]
    for place, share in tries:
        changed = logo | {"place": place, "size": max(round(logo["size"] * share, 4), LOGO_MIN_SIZE)}
        yield spec | {"overlays": [*spec["overlays"][:at], changed, *spec["overlays"][at + 1 :]]}
