"""Which pictures and clips a scene is made from: matched by words, each product shown, nothing repeated too early."""

from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.planning.text import stems
from campaigns.planning.types import AssetRef

PRODUCT_WORDS = stems("product can cans bottle pack packs six-pack box jar tube drink sip logo hero lata canette")
SHOWN_ROLES = ("product", "scene", "clip", "b_roll")
MATCH, PRODUCT_FIT, ANY_PRODUCT, FOOTAGE = 10, 6, 2, 1


@dataclass(frozen=True)
class SceneText:
    """What the words of a scene are, for matching. `bare` scenes show a logo or words alone: no picture."""

    text: str
    role: str
    bare: bool = False


@dataclass(frozen=True)
class Assignment:
    """Asset ids by scene, in order of importance, and what a person should know."""

    by_scene: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def assign_references(scenes: Sequence[SceneText], assets: Sequence[AssetRef]) -> Assignment:
    """Give each scene its best unused asset, then show the products that are left, then repeat where need be."""
    shown = [a for a in assets if a.role in SHOWN_ROLES and not a.overlay_only]
    notes = [f"“{a.name}” is a cut-out: it is kept for overlays and fills no scene." for a in assets if a.overlay_only]
    notes += [f"“{a.name}” guides the style and is not shown." for a in assets if a.role == "style_reference"]
    chosen: list[list[str]] = [[] for _ in scenes]
    open_scenes = [i for i, scene in enumerate(scenes) if not scene.bare]
    _first_round(scenes, open_scenes, shown, chosen)
    _leftover_products(scenes, open_scenes, shown, chosen)
    _repeat(scenes, open_scenes, shown, chosen)
    _stills_beside_footage(scenes, shown, chosen)
    return Assignment(tuple(tuple(ids) for ids in chosen), tuple(notes))


def _first_round(
    scenes: Sequence[SceneText], open_scenes: Sequence[int], assets: Sequence[AssetRef], chosen: list[list[str]]
) -> None:
    pairs = sorted(
        ((-_score(scenes[i], asset), i, place) for i in open_scenes for place, asset in enumerate(assets)),
    )
    used: set[int] = set()
    for score, scene, place in pairs:
        if chosen[scene] or place in used or (score >= 0 and len(assets) > len(open_scenes)):
            continue
        chosen[scene].append(assets[place].id)
        used.add(place)


def _leftover_products(
    scenes: Sequence[SceneText], open_scenes: Sequence[int], assets: Sequence[AssetRef], chosen: list[list[str]]
) -> None:
    """Every product and clip of the brief appears at least once, as a further picture of its best scene."""
    used = {asset for ids in chosen for asset in ids}
    for asset in assets:
        if asset.id not in used and asset.role in ("product", "clip") and open_scenes:
            best = max(open_scenes, key=lambda i: (_score(scenes[i], asset) - 3 * len(chosen[i]), -i))
            chosen[best].append(asset.id)


def _repeat(
    scenes: Sequence[SceneText], open_scenes: Sequence[int], assets: Sequence[AssetRef], chosen: list[list[str]]
) -> None:
    """Scenes that are still empty share assets, the least used first and never the neighbour's."""
    if not assets:
        return
    uses = {asset.id: sum(asset.id in ids for ids in chosen) for asset in assets}
    for scene in open_scenes:
        if chosen[scene]:
            continue
        near = set(chosen[scene - 1] if scene else ()) | set(chosen[scene + 1] if scene + 1 < len(chosen) else ())
        best = max(assets, key=lambda a: (a.id not in near, -uses[a.id], _score(scenes[scene], a)))
        chosen[scene].append(best.id)
        uses[best.id] += 1


def _stills_beside_footage(scenes: Sequence[SceneText], assets: Sequence[AssetRef], chosen: list[list[str]]) -> None:
    """A scene with footage also names a still, so that a model that starts from a picture can make it too."""
    kinds = {asset.id: asset for asset in assets}
    stills = [a for a in assets if a.kind == "image" and a.role in ("product", "scene")]
    for place, ids in enumerate(chosen):
        if stills and ids and all(kinds[i].kind == "video" for i in ids):
            ids.append(max(stills, key=lambda a: _score(scenes[place], a)).id)


def _score(scene: SceneText, asset: AssetRef) -> int:
    about = stems(scene.text)
    overlap = len(about & stems(f"{asset.note} {asset.name.rsplit('.', 1)[0].replace('-', ' ').replace('_', ' ')}"))
    score = MATCH * overlap
    if asset.role in ("product", "clip"):
        score += PRODUCT_FIT if about & PRODUCT_WORDS else ANY_PRODUCT
        score += 3 if scene.role == "cta" else 0
    if asset.kind == "video":
        score += FOOTAGE
    if asset.role == "b_roll" and scene.role == "hook":
        score += 1
    return score
