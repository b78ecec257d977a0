"""Required elements find their scene or are refused with a reason; forbidden ones are kept out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from campaigns.planning.text import cut_at_word, stems
from campaigns.planning.types import BriefValues
from jobs.plan import ScenePlan

SCREEN_TEXT_LIMIT = 80
TEXT = re.compile(r"^\s*(?:text|on[- ]?screen(?: text)?)\s*[:：]\s*(?P<text>.+)$", re.IGNORECASE)
DISCLOSURE = re.compile(r"^\s*(?:disclosure|disclaimer)\s*[:：]\s*(?P<text>.+)$", re.IGNORECASE)
WINDOW = re.compile(r"\b(?P<end>first|last)\s+(?P<seconds>\d+(?:\.\d+)?)\s*s(?:ec|econds?)?\b", re.IGNORECASE)
HOOK_TEXT = re.compile(r"\bhook\b.*\btext\b|\btext\b.*\bhook\b", re.IGNORECASE)
CAPTIONS = re.compile(r"\b(captions?|subtitles?)\b", re.IGNORECASE)
LOGO = re.compile(r"\blogo\b", re.IGNORECASE)
LOGO_ALONE = re.compile(r"\blogo\b.*\b(alone|only|by itself)\b", re.IGNORECASE)
SOUND = re.compile(r"\b(silence|silent|sound effect|jingle|voice[- ]?over|whisper|music stops?)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Placed:
    """The scenes with their required elements, the disclosures, and one note for each element."""

    scenes: tuple[ScenePlan, ...]
    disclosures: tuple[str, ...]
    bare: frozenset[str]  # keys of scenes that show a logo alone
    notes: tuple[str, ...]


def place_required(scenes: Sequence[ScenePlan], brief: BriefValues) -> Placed:
    """Put each required element into a named scene, or say in a note why it cannot be."""
    placed = Placed(tuple(scenes), (), frozenset(), ())
    for element in brief.required:
        placed = _place(placed, element, brief)
    return placed


def scene_at(scenes: Sequence[ScenePlan], element: str) -> ScenePlan:
    """Return the scene that a "first/last n seconds" names, else the one whose words are nearest."""
    window = WINDOW.search(element)
    if window:
        return scenes[0] if window["end"].lower() == "first" else scenes[-1]
    about = stems(element)
    return max(scenes, key=lambda s: len(about & stems(f"{s.visual} {s.script} {s.title}")))


def contradictions(scenes: Sequence[ScenePlan], brief: BriefValues) -> list[str]:
    """Say where the script itself asks for something that the brief or the brand kit forbids."""
    notes = []
    for scene in scenes:
        text = f"{scene.script} {scene.visual} {scene.on_screen_text}"
        said = stems(text)
        for element in brief.forbidden:
            wanted = frozenset() if WINDOW.search(element) else stems(element)  # a time cannot be found in words
            if len(wanted) <= 2 and wanted and wanted <= said:
                notes.append(f"Forbidden “{element}” is named in {_name(scene)}; check it.")
        lowered = text.casefold()
        notes += [
            f"The brand kit never uses “{word}”; it stands in {_name(scene)}."
            for word in brief.forbidden_words
            if word and re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", lowered)
        ]
    return notes


def _place(placed: Placed, element: str, brief: BriefValues) -> Placed:
    for rule in (_disclosure, _captions, _sound, _screen_text, _hook_text, _logo):
        done = rule(placed, element, brief)
        if done is not None:
            return done
    scene = scene_at(placed.scenes, element)
    seen = _without_window(element)
    changed = replace(scene, visual=f"{scene.visual.rstrip()} Must show: {seen}.".strip())
    return _with(placed, changed, f"Required “{element}” is in {_name(scene)}.")


def _disclosure(placed: Placed, element: str, brief: BriefValues) -> Placed | None:
    found = DISCLOSURE.match(element)
    if not found:
        return None
    note = f"Required “{element}” is marked in the picture of every scene, from {_name(placed.scenes[0])} on."
    return replace(placed, disclosures=(*placed.disclosures, found["text"].strip()), notes=(*placed.notes, note))


def _captions(placed: Placed, element: str, brief: BriefValues) -> Placed | None:
    if not CAPTIONS.search(element):
        return None
    if brief.captions != "burned" and "burn" in element.lower():
        return _refused(placed, element, "captions are set to side-car files; set them to burned in")
    return replace(placed, notes=(*placed.notes, f"Required “{element}” holds for every scene that is spoken."))


def _sound(placed: Placed, element: str, brief: BriefValues) -> Placed | None:
    if not SOUND.search(element):
        return None
    return _refused(
        placed, element, "scenes hold pictures and words; cut the music or the voice-over file itself and upload it"
    )


def _screen_text(placed: Placed, element: str, brief: BriefValues) -> Placed | None:
    found = TEXT.match(element)
    if not found:
        return None
    text = cut_at_word(found["text"], SCREEN_TEXT_LIMIT)
    holding = [s for s in placed.scenes if text.casefold() in s.on_screen_text.casefold()]
    if holding:
        return replace(placed, notes=(*placed.notes, f"Required “{element}” is on screen in {_name(holding[0])}."))
    about = stems(text)
    empty = [s for s in placed.scenes if not s.on_screen_text] or list(placed.scenes)
    scene = max(empty, key=lambda s: len(about & stems(f"{s.script} {s.visual}")))
    joined = f"{scene.on_screen_text} · {text}".strip(" ·")
    return _with(placed, replace(scene, on_screen_text=joined), f"Required “{element}” is on screen in {_name(scene)}.")


def _hook_text(placed: Placed, element: str, brief: BriefValues) -> Placed | None:
    if not HOOK_TEXT.search(element):
        return None
    scene = placed.scenes[0]
    text = scene.on_screen_text or cut_at_word(brief.title or scene.script, SCREEN_TEXT_LIMIT)
    if not text:
        return _refused(placed, element, "there is no title, key message or script to take it from")
    return _with(placed, replace(scene, on_screen_text=text), f"Required “{element}” is on screen in {_name(scene)}.")


def _logo(placed: Placed, element: str, brief: BriefValues) -> Placed | None:
    if not LOGO.search(element):
        return None
    if not brief.has_logo:
        return _refused(placed, element, "the brand kit has no logo; add one")
    scene = scene_at(placed.scenes, element) if WINDOW.search(element) else placed.scenes[-1]
    if scene is not placed.scenes[-1]:
        return _refused(placed, element, "the logo is laid over the last three seconds only")
    note = f"Required “{element}” is in {_name(scene)}: the logo is laid over its last three seconds."
    if LOGO_ALONE.search(element):
        placed = replace(placed, bare=placed.bare | {scene.key})
        scene = replace(
            scene, title="Logo", visual=f"{_without_window(element)}. Plain ground, nothing else.", camera="static"
        )
        note = f"Required “{element}” is {_name(scene)}: a plain ground with the logo, no picture."
    return _with(placed, scene, note)


def _with(placed: Placed, scene: ScenePlan, note: str) -> Placed:
    scenes = tuple(scene if s.key == scene.key else s for s in placed.scenes)
    return replace(placed, scenes=scenes, notes=(*placed.notes, note))


def _refused(placed: Placed, element: str, why: str) -> Placed:
    return replace(placed, notes=(*placed.notes, f"Required “{element}” is not in the plan: {why}."))


def _without_window(element: str) -> str:
    text = re.sub(r"\b(?:in|for|during|over)?\s*the\s+" + WINDOW.pattern, "", element, flags=re.IGNORECASE)
    return " ".join(text.split()).strip(" .,")


def _name(scene: ScenePlan) -> str:
    return f"scene {scene.key.removeprefix('s')} “{scene.title}”"
