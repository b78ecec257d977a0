"""Bring the passages of a script to a number of scenes that the length can hold."""

from dataclasses import replace

from campaigns.planning.script import Passage
from campaigns.planning.text import cut_at_word, sentences, speech_ms
from campaigns.planning.types import LONGEST_SCENE_MS, SHORTEST_SCENE_MS, BriefValues

SILENT_SCENE_MS = 2_500
BREATH_MS = 600
USUAL_LEAST_SCENES = 3
MOST_SCENES = 60
COMFORTABLE_MS = 6_500  # beyond this a passage of several sentences is cut in two
SHORT_SCRIPT = 0.7  # of the length; a shorter script is filled up with what else the brief wants said
NEXT_SHOT = " Next shot: "
ANGLES = (("Closer: ", "From the side: "), ("From the side: ", "From above: "), ("From above: ", "Closer: "))


def weight_of(passage: Passage) -> int:
    """Return how long a passage wants to be, in milliseconds."""
    if passage.asked_ms:
        return passage.asked_ms
    return max(SHORTEST_SCENE_MS, speech_ms(passage.spoken) + BREATH_MS) if passage.spoken else SILENT_SCENE_MS


def to_scene_count(passages: list[Passage], brief: BriefValues) -> list[Passage]:
    """Add, split or join passages until each can have between 1.5 and 8 seconds."""
    most = max(1, min(MOST_SCENES, brief.length_ms // SHORTEST_SCENE_MS))
    least = min(most, max(USUAL_LEAST_SCENES, -(-brief.length_ms // LONGEST_SCENE_MS)))
    passages = list(passages)
    while len(passages) > most:
        passages = _join_smallest(passages)
    if sum(weight_of(p) for p in passages) < SHORT_SCRIPT * brief.length_ms:
        for extra in _extras(passages, brief):
            if len(passages) < least:
                passages = _insert(passages, extra)
    while len(passages) < most:
        place = _to_split(passages, brief.length_ms, needed=len(passages) < least)
        if place is None:
            break
        passages[place : place + 1] = _split(passages[place])
    return passages


def _to_split(passages: list[Passage], length_ms: int, *, needed: bool) -> int | None:
    """Return the passage to split next: a long one of several sentences, or, when scenes are missing, any."""
    total = sum(weight_of(p) for p in passages)
    share = {i: weight_of(p) * length_ms / total for i, p in enumerate(passages)}
    several = [i for i, p in enumerate(passages) if len(sentences(p.spoken)) > 1]
    if several:
        longest = max(several, key=lambda i: share[i])
        limit = LONGEST_SCENE_MS if passages[longest].asked_ms else COMFORTABLE_MS
        if share[longest] > limit or (needed and share[longest] > 2 * SHORTEST_SCENE_MS):
            return longest
    return max(share, key=lambda i: share[i]) if needed else None


def _extras(passages: list[Passage], brief: BriefValues) -> list[Passage]:
    """What a very short script may be filled up with: a call to action, then what the brief wants said."""
    said = " ".join(f"{p.spoken} {p.on_screen}" for p in passages).casefold()
    extras = []
    if brief.call_to_action and brief.call_to_action.casefold() not in said:
        extras.append(Passage(on_screen=brief.call_to_action, visual=f"{_subject(brief)}, steady, room for words."))
    extras += [
        Passage(on_screen=message, visual=f"{_subject(brief)}: {message}.")
        for message in brief.key_messages
        if message.casefold() not in said
    ]
    return extras


def _insert(passages: list[Passage], extra: Passage) -> list[Passage]:
    """A call to action goes last, everything else before it."""
    if extra.visual.endswith("room for words."):
        return [*passages, extra]
    at_end = bool(passages) and passages[-1].visual.endswith("room for words.")
    return [*passages[:-1], extra, passages[-1]] if at_end else [*passages, extra]


def _subject(brief: BriefValues) -> str:
    return brief.brand_name or brief.title or "The product"


def _join_smallest(passages: list[Passage]) -> list[Passage]:
    at = min(range(len(passages) - 1), key=lambda i: weight_of(passages[i]) + weight_of(passages[i + 1]))
    first, second = passages[at], passages[at + 1]
    joined = Passage(
        spoken=f"{first.spoken}\n{second.spoken}".strip(),
        visual=f"{first.visual} {second.visual}".strip(),
        on_screen=first.on_screen or second.on_screen,
        start_ms=first.start_ms,
        end_ms=second.end_ms,
        speaker=first.speaker if first.speaker == second.speaker else "",
    )
    return [*passages[:at], joined, *passages[at + 2 :]]


def _split(passage: Passage) -> list[Passage]:
    """Two shots of one passage: its sentences shared out, or the same moment from nearer."""
    parts = sentences(passage.spoken)
    asked = passage.asked_ms
    if len(parts) < 2:
        half = weight_of(passage) // 2
        first = replace(passage, start_ms=0, end_ms=half)
        second = replace(first, spoken="", on_screen="", visual=_another_angle(passage))
        return [first, second]
    middle = speech_ms(passage.spoken) / 2
    cut = min(range(1, len(parts)), key=lambda i: abs(speech_ms(" ".join(parts[:i])) - middle))
    head, tail = " ".join(parts[:cut]), " ".join(parts[cut:])
    seen = passage.visual.split(NEXT_SHOT)[0]
    second_visual = f"{seen}{NEXT_SHOT}{cut_at_word(tail, 80)}" if seen else ""
    first = replace(passage, spoken=head, start_ms=None, end_ms=None)
    second = replace(passage, spoken=tail, visual=second_visual, on_screen="", start_ms=None, end_ms=None)
    if asked:
        share = round(asked * speech_ms(head) / (speech_ms(head) + speech_ms(tail)))
        first = replace(first, start_ms=0, end_ms=share)
        second = replace(second, start_ms=0, end_ms=asked - share)
    return [first, second]


def _another_angle(passage: Passage) -> str:
    seen = passage.visual or cut_at_word(passage.spoken, 100)
    for nearer, farther in ANGLES:
        if seen.startswith(nearer):
            return seen.replace(nearer, farther, 1)
    return f"{ANGLES[0][0]}{seen}"
