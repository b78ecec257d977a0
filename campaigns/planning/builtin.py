"""The built-in planner: from a brief to scenes, by rules. Pure: the same brief gives the same storyboard."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from campaigns.planning.camera import camera_for, transition_for
from campaigns.planning.durations import fit_durations
from campaigns.planning.elements import SCREEN_TEXT_LIMIT, contradictions, place_required
from campaigns.planning.locales import TIMED, locales_of
from campaigns.planning.references import SceneText, assign_references
from campaigns.planning.script import Passage, read_script
from campaigns.planning.shots import to_scene_count, weight_of
from campaigns.planning.text import STOP, cut_at_word, sentences, shortened, speech_ms, stems, words
from campaigns.planning.types import BriefNotReady, BriefValues, Storyboard
from jobs.plan import ScenePlan

TITLE_WORDS = 6
HURRIED = 1.3  # a text may be said this much faster than usual before it is shortened
SAID_ALREADY = 0.6
CUT_TO = re.compile(r"^(?:hard |smash |match )?cut to (?:the |a )?", re.IGNORECASE)
UNSPOKEN_TEXT_TYPES = frozenset({"cinematic_intro"})  # words over the picture only where the writer asks for them

OPENINGS = {
    "ugc_talking_head": ("a person tells it to the camera, phone at arm's length", "told on the move, street behind"),
    "product_explainer": ("clear daylight, nothing in the way", "shown by two hands on a table"),
    "cinematic_intro": ("a wide frame, slow and dark", "a silhouette against the first light"),
    "hero": ("out of the dark, rim light", "on a bare stage, one spot"),
    "overlay": ("one clean surface, much space", "a soft gradient behind it"),
    "meme": ("a plain reaction, centred", "a face that says everything"),
    "music_video": ("on the beat, coloured light", "dancers cross the frame"),
}
SHOTS = ("close-up", "wide view", "detail from the side", "seen from above", "over the shoulder", "low angle")
CLOSINGS = (
    "in full view, room for words",
    "alone on a quiet ground",
    "in somebody's hand, facing us",
    "centred, light fades",
)


class BuiltinPlanner:
    """The planner that needs no key."""

    name = "builtin"

    def plan(self, brief: BriefValues) -> Storyboard:
        """Return scenes that fill the length exactly, or raise `BriefNotReady` when there is nothing to say."""
        passages = read_script(brief.script) or _from_messages(brief)
        notes = _length_notes(passages, brief)
        shots = to_scene_count(passages, brief)
        durations = fit_durations([weight_of(p) for p in shots], brief.length_ms)
        drafts = _drafts(shots, durations, brief)
        shown, more = _key_messages(_hook_and_call(drafts, brief), brief)
        placed = place_required(shown, brief)
        notes += [*_shortened_notes(shots, drafts), *more, *placed.notes, *contradictions(placed.scenes, brief)]
        scenes, about_assets = with_references(placed.scenes, placed.bare, brief)
        locales, about_locales = locales_of(brief, scenes)
        return Storyboard(
            scenes=scenes,
            locales=locales,
            avoid=brief.forbidden,
            disclosures=placed.disclosures,
            notes=tuple(dict.fromkeys([*notes, *about_assets, *about_locales])),
        )


def seed_of(brief: BriefValues) -> int:
    """Return a figure that is always the same for the same script and title."""
    return int.from_bytes(hashlib.sha256(f"{brief.title}\n{brief.script}".encode()).digest()[:4], "big") >> 1


def _from_messages(brief: BriefValues) -> list[Passage]:
    """Without a script the key messages carry the ad; without either there is nothing to plan."""
    if not brief.key_messages:
        raise BriefNotReady(
            "The script is empty. Write at least one sentence that is to be said or shown, upload a text file,"
            " or add key messages."
        )
    return [Passage(spoken=message) for message in brief.key_messages]


def _drafts(shots: Sequence[Passage], durations: Sequence[int], brief: BriefValues) -> list[ScenePlan]:
    seed, scenes, camera = seed_of(brief), [], ""
    for place, (shot, duration) in enumerate(zip(shots, durations, strict=True)):
        role = "hook" if place == 0 else "cta" if place == len(shots) - 1 else "beat"
        visual = shot.visual or _visual(shot, role, place, seed, brief)
        camera = camera_for(visual, role=role, place=place, seed=seed, before=camera)
        transition = transition_for(visual, role=role, place=place, tone=brief.tone, ad_type=brief.ad_type)
        scenes.append(
            ScenePlan(
                key=f"s{place + 1}",
                title=_title(shot, visual),
                script=shortened(shot.spoken, round(duration * _pace(shot))) if shot.spoken else "",
                visual=visual,
                camera=camera,
                on_screen_text=cut_at_word(shot.on_screen, SCREEN_TEXT_LIMIT),
                duration_ms=duration,
                transition=transition,
                role=role,
            )
        )
    return scenes


def _pace(shot: Passage) -> float:
    """Return how much faster than usual a passage may be said: a writer who gave times is trusted further."""
    return TIMED if shot.asked_ms else HURRIED


def _visual(shot: Passage, role: str, place: int, seed: int, brief: BriefValues) -> str:
    """Describe a picture for words that came without one; what is said decides what is seen."""
    said = cut_at_word(shot.spoken, 140).rstrip(".")
    subject = brief.brand_name or brief.title or "the product"
    if shot.speaker:
        return f"{shot.speaker} speaks, {SHOTS[(seed + place) % len(SHOTS)]}: {said}"
    if role == "hook":
        openings = OPENINGS.get(brief.ad_type, OPENINGS["hero"])
        return f"{said}: {openings[seed % len(openings)]}."
    if role == "cta":
        return f"{said}: {subject} {CLOSINGS[seed % len(CLOSINGS)]}."
    return f"{said}: {SHOTS[(seed + place) % len(SHOTS)]}, {subject}."


def _title(shot: Passage, visual: str) -> str:
    """A short name of the scene: the first clause of what is seen, else of what is said."""
    source = shot.visual or shot.spoken or visual
    first = sentences(source)[0] if sentences(source) else source
    for mark in (":", ",", ";", "–", "—", "،", "、", "，"):
        head = first.split(mark)[0].strip()
        if len(words(head)) >= 2:
            first = head
    first = CUT_TO.sub("", first)
    parts = first.split()[:TITLE_WORDS]
    while len(parts) > 2 and parts[-1].casefold() in STOP | {"up"}:
        parts.pop()
    clause = " ".join(parts) if " " in first else first
    return cut_at_word(clause.strip(" .!?…,:;"), 48) or "Scene"


def _hook_and_call(scenes: Sequence[ScenePlan], brief: BriefValues) -> list[ScenePlan]:
    """The hook stands on the first scene, the call to action on the last, unless the script says otherwise."""
    result = list(scenes)
    if brief.call_to_action and not result[-1].on_screen_text:
        result[-1] = replace(result[-1], on_screen_text=cut_at_word(brief.call_to_action, SCREEN_TEXT_LIMIT))
    hook = brief.title or (brief.key_messages[0] if brief.key_messages else "")
    if len(result) > 1 and hook and not result[0].on_screen_text and brief.ad_type not in UNSPOKEN_TEXT_TYPES:
        result[0] = replace(result[0], on_screen_text=cut_at_word(hook, SCREEN_TEXT_LIMIT))
    return result


def _key_messages(scenes: Sequence[ScenePlan], brief: BriefValues) -> tuple[list[ScenePlan], list[str]]:
    """Show each key message that nobody says, on the scene nearest to it."""
    result, notes = list(scenes), []
    for message in brief.key_messages:
        wanted = stems(message)
        if any(_covers(s, wanted) for s in result):
            continue
        free = [i for i, s in enumerate(result) if s.role == "beat" and not s.on_screen_text]
        if not free or brief.ad_type in UNSPOKEN_TEXT_TYPES:
            notes.append(f"Key message “{message}” is neither said nor shown; add it to a scene if it matters.")
            continue
        best = max(free, key=lambda i: (len(wanted & stems(f"{result[i].script} {result[i].visual}")), -i))
        result[best] = replace(result[best], on_screen_text=cut_at_word(message, SCREEN_TEXT_LIMIT))
    return result, notes


def _covers(scene: ScenePlan, wanted: frozenset[str]) -> bool:
    said = stems(f"{scene.script} {scene.on_screen_text}")
    return bool(wanted) and len(wanted & said) >= SAID_ALREADY * len(wanted)


def with_references(
    scenes: Sequence[ScenePlan], bare: frozenset[str], brief: BriefValues
) -> tuple[tuple[ScenePlan, ...], tuple[str, ...]]:
    """Give each scene the brief's files that it shows, and say which files nothing shows."""
    texts = [SceneText(f"{s.title} {s.visual} {s.script} {s.on_screen_text}", s.role, s.key in bare) for s in scenes]
    assigned = assign_references(texts, brief.assets)
    matched = zip(scenes, assigned.by_scene, strict=True)
    return tuple(replace(scene, references=ids) for scene, ids in matched), assigned.notes


def _length_notes(passages: Sequence[Passage], brief: BriefValues) -> list[str]:
    said = sum(speech_ms(p.spoken) for p in passages)
    pace = max((_pace(p) for p in passages), default=HURRIED)
    if said <= brief.length_ms * pace:
        return []
    return [
        f"The script takes about {round(said / 1000)} s to say and the ad lasts {brief.length_ms / 1000:g} s."
        f" It has {len(passages)} passages; a cut of {-(-said // 5000) * 5} s would hold all of it."
    ]


def _shortened_notes(shots: Sequence[Passage], scenes: Sequence[ScenePlan]) -> list[str]:
    cut = [
        scene.key.removeprefix("s")
        for shot, scene in zip(shots, scenes, strict=True)
        if " ".join(shot.spoken.split()) != " ".join(scene.script.split())
    ]
    if not cut:
        return []
    return [
        f"Shortened to what can be said in the time: scene {', '.join(cut)}. Edit the words or give them more time."
    ]
