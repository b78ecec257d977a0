"""The compiler's findings in the words of the plan: which scene, what of it, and what a person does on the board."""

import re

from genengine.media import LintFinding
from jobs.plan import Plan
from jobs.preflight.films import Film
from jobs.preflight.types import Level, PlanFinding

STEP = re.compile(r"\$\.(?P<group>[a-z_.]+)(?:\[(?P<index>\d+)\])?")
FIXES = {
    "text_does_not_fit": "Shorten it, or spread it over two scenes.",
    "text_too_small": "Shorten it, or spread it over two scenes.",
    "outside_safe_zone": "Shorten it.",
    "glyph_missing": "Write it with other characters, or add a font that has them to the brand kit.",
    "low_contrast": "Choose another colour in the brand kit.",
    "brand_color": "Add the colour to the brand kit, or choose another one there.",
    "reading_speed": "Shorten what the scene says, or give the scene more time.",
    "card_too_short": "Shorten it, or give the scene more time.",
    "text_covered": "Shorten one of the two.",
    "transition_crowded": "Give the scene more time, or let it begin with a cut.",
    "logo_contrast": "Use the logo's other version in the brand kit, or another last scene.",
    "too_long": "Choose a shorter length in the brief.",
}
FOR_THE_ENGINE = frozenset({"asset_missing", "asset_unused", "contrast_helped", "overlay_time"})
"""Findings about the spec itself, or about takes that are yet to be made."""

WHOLE = {"marks": "the disclosure", "output": "the format", "segments": "the length"}
LONGEST_QUOTE = 40


def in_plan_words(found: LintFinding, film: Film, plan: Plan) -> PlanFinding | None:
    """Return a finding of a film in the words of its plan; nothing for what a person has no part in."""
    if found.code in FOR_THE_ENGINE:
        return None
    index, subject = _place(found.path, film)
    scene = plan.scenes[index] if index is not None else None
    return PlanFinding(
        code=found.code,
        level=Level(str(found.severity)),
        scene=scene.key if scene else "",
        number=index + 1 if index is not None else 0,
        subject=subject,
        cause=found.message,
        fix=FIXES.get(found.code, found.fix),
        films=(film.name,),
    )


def card_in_plan_words(found: LintFinding, plan: Plan, scene: str, branch: str) -> PlanFinding | None:
    """The same for a finding of one scene's text card."""
    if found.code in FOR_THE_ENGINE or found.code.startswith("channel_"):
        return None
    number = next(place for place, one in enumerate(plan.scenes, 1) if one.key == scene)
    fix = FIXES.get(found.code, found.fix)
    subject = f"the text card of variant {branch}"
    return PlanFinding(found.code, Level(str(found.severity)), scene, number, subject, found.message, fix)


def _place(path: str, film: Film) -> tuple[int | None, str]:
    """The scene of a JSON path, by its time, and what of it is meant."""
    step = STEP.match(path)
    group, index = (step["group"], step["index"]) if step else ("", None)
    if index is None:
        return None, WHOLE.get(group, "the film")
    at = int(index)
    if group == "segments":
        return at, "the way it begins" if "transition" in path else "the picture"
    if group == "captions.cues":
        cue = film.spec["captions"]["cues"][at]
        return film.scene_at(cue["start_frame"]), f"the caption {_quoted(cue['text'])}"
    if group == "overlays":
        overlay = film.spec["overlays"][at]
        what = f"the on-screen text {_quoted(overlay['text'])}" if overlay["type"] == "text" else "the logo"
        return film.scene_at(overlay["start_frame"]), what
    return None, "the film"


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    short = text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1].rstrip()}…"
    return f"“{short}”"
