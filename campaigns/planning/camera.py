"""Camera moves and transitions: read from the words of a scene, else varied by its place in the ad."""

import re

from campaigns.planning.text import stems

NAMED: tuple[tuple[str, str], ...] = (
    ("push-in", r"push(?:es)?[- ]in|dolly[- ]in|zooms?[- ]in|acercamiento|zoom avant"),
    ("pull-out", r"pulls?[- ](?:out|back)|dolly[- ]out|zooms?[- ]out|alejamiento|zoom arrière"),
    ("slide-right", r"left to right|pans? right|slides? right|dolly past|tracks? past|izquierda a derecha"),
    ("slide-left", r"right to left|pans? left|slides? left(?! to)|derecha a izquierda"),
    ("crane-up", r"crane[- ]up|tilts? up|pedestal up"),
    ("tilt-down", r"tilts? down|crane[- ]down|top[- ]down"),
    ("orbit", r"orbits?|turntable|arc shot"),
    ("handheld", r"hand-?held|phone camera|selfie"),
    ("static", r"static|locked(?:-off)?|tripod|steady"),
)
IMPLIED: tuple[tuple[str, str], ...] = (
    ("push-in", r"close-?ups?|macro|detail|towards? the camera|moves? in|primer plano"),
    ("pull-out", r"reveals?|wide shot"),
    ("crane-up", r"opens over|rises?|sunrise behind"),
    ("tilt-down", r"runs down|drips?|pours?"),
    ("orbit", r"turns? slowly|rotates?|spins?|sweeps around|gira|tourne"),
    ("handheld", r"up to the lens|close to the camera|points at|holds? "),
    ("static", r"still|logo|time-?lapse|packshot|title card"),
)
BEAT_MOVES = ("slide-right", "orbit", "push-in", "tilt-down", "slide-left", "pull-out", "crane-up")
QUICK = frozenset(stems("quick fast funny energetic playful punchy bold lively snappy loud"))
QUIET = frozenset(stems("quiet calm cinematic precise slow elegant tender serious dreamy poetic"))
HARD_CUT = re.compile(r"\b(hard|smash|match) cut\b|\bcut to\b", re.IGNORECASE)
FADES = (
    (re.compile(r"fades? (?:to|from) white", re.I), "fade_white"),
    (re.compile(r"fades? (?:to|from) black|^black\b", re.I), "fade_black"),
)


def camera_for(text: str, *, role: str, place: int, seed: int, before: str) -> str:
    """Return the move that the words name, else one by role and place that differs from the move before."""
    found = _first_of(NAMED, text) or _first_of(IMPLIED, text)
    if found:
        return found
    if role == "hook":
        return "push-in"
    if role == "cta":
        return "static"
    move = BEAT_MOVES[(seed + place) % len(BEAT_MOVES)]
    return BEAT_MOVES[(seed + place + 1) % len(BEAT_MOVES)] if move == before else move


def transition_for(text: str, *, role: str, place: int, tone: tuple[str, ...], ad_type: str) -> str:
    """Return how a scene begins: what the words say, else what the tone asks for."""
    if place == 0 or HARD_CUT.search(text):
        return "cut"
    for pattern, transition in FADES:
        if pattern.search(text):
            return transition
    mood = stems(" ".join(tone))
    if mood & QUICK or ad_type in ("meme", "ugc_talking_head"):
        return "cut"
    if mood & QUIET or ad_type == "cinematic_intro":
        return "fade_black" if role == "cta" else "crossfade"
    if ad_type in ("overlay", "music_video"):
        return "crossfade" if place % 2 else "cut"
    return "crossfade"


def _first_of(table: tuple[tuple[str, str], ...], text: str) -> str:
    """Return the move that is named first in the text, or nothing."""
    places = [
        (match.start(), move)
        for move, pattern in table
        if (match := re.search(rf"\b(?:{pattern})", text, re.IGNORECASE))
    ]
    return min(places)[1] if places else ""


def names_a_move(text: str) -> bool:
    """Say whether the words themselves ask for a camera move."""
    return bool(_first_of(NAMED, text))
