"""What stands in for a master that no engine could compose. Pure: values in, RenderSpecs out.

The simplest film of the right size, length and loudness: a still of each take with the sound and the words under it;
the same without sound; one card with the ad's words. No moves, no transitions, no overlays, no film is decoded.
"""

from collections.abc import Mapping
from typing import Any

from jobs.execution.colours import ink_on
from jobs.execution.composition import MasterOrder, master_spec
from jobs.plan import Plan

GROUND = "#14213d"
MOST_WORDS = 120


def stand_in_specs(plan: Plan, order: MasterOrder, posters: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the specs to try, the better first. `posters` maps scenes to the SHA-256 of their takes' stills."""
    base = {name: value for name, value in master_spec(plan, order).items() if name != "brand"}  # the plainest there is
    total = base["duration_frames"]
    kept = {name: ref for name, ref in base["assets"].items() if ref["kind"] == "audio"}
    plain = {
        **base,
        "assets": kept,
        "overlays": [],
        "metadata": {"title": f"STAND-IN: {base['metadata']['title']}"},
        "segments": [{**card(plan), "duration_frames": total}],
    }
    silent = {**plain, "assets": {}, "audio": {}}
    if not posters:
        return [plain, silent]
    stills = {f"still-{scene}": {"kind": "image", "sha256": sha256} for scene, sha256 in posters.items()}
    segments = [
        _slot(plan, t.scene, s["duration_frames"], posters) for t, s in zip(order.takes, base["segments"], strict=True)
    ]
    return [
        {**plain, "assets": {**kept, **stills}, "segments": segments},
        {**silent, "assets": stills, "segments": segments},
        silent,
    ]


def card(plan: Plan) -> dict[str, Any]:
    """Return a card in the brand's colour with the words that matter most."""
    words = [plan.call_to_action, *(scene.on_screen_text for scene in plan.scenes), plan.title]
    headline = next((text.strip() for text in words if text.strip()), "")
    ground = plan.brand.colours.get("background") or plan.brand.colours.get("primary") or GROUND
    return {
        "type": "text",
        "background": {"from": ground, "to": ground},
        "color": ink_on(ground),
        **({"headline": headline[:MOST_WORDS]} if headline else {}),
    }


def _slot(plan: Plan, scene: str, frames: int, posters: Mapping[str, str]) -> dict[str, Any]:
    if scene not in posters:
        return {**card(plan), "duration_frames": frames}
    return {"type": "image", "asset": f"still-{scene}", "duration_frames": frames, "fit": {"mode": "crop"}}
