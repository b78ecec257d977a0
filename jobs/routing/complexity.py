"""How hard a scene is to make, 1 to 10, and which words say so (seed B: complexity decides the tier)."""

import re
from dataclasses import dataclass

BASE = 3
TIERS = ((3, 1), (7, 2), (10, 3))
NEEDED_QUALITY = {1: 5, 2: 7, 3: 9}

PEOPLE = r"\b(face|faces|person|people|hand|hands|holds?|smiles?|talks?|nurse|student|crowd|dancer|runner|woman|man)\b"
MOTION = r"\b(run|runs|jump|pour|pours|splash|spins?|turns?|orbit|sweeps?|slides?|opens?|explodes?|dances?|sips?)\b"
CHANGE = r"\b(time-?lapse|becomes|changes?|transforms?|morphs?|from \w+ to \w+|sunrise|dawn)\b"
MATTER = r"\b(water|liquid|smoke|fire|condensation|droplets?|reflections?|glass|hair|fabric|crowd|ice)\b"
CALM = r"\b(logo|packshot|plain|still|static|text|title|card|black|navy|studio)\b"


@dataclass(frozen=True)
class Complexity:
    """A figure from 1 to 10, the tier it falls into (1 to 3) and the sentence behind it."""

    value: int
    reason: str

    @property
    def tier(self) -> int:
        """1 simple, 2 usual, 3 demanding."""
        return tier_of(self.value)


def tier_of(complexity: int) -> int:
    """Return the tier of a complexity."""
    return next(tier for top, tier in TIERS if complexity <= top)


def needed_quality(complexity: int) -> int:
    """Return the declared model quality, 1 to 10, that a scene of this complexity asks for."""
    return NEEDED_QUALITY[tier_of(complexity)]


def quality_tier(quality: int) -> int:
    """Return the highest tier, 1 to 3, that a declared quality is enough for; 0 when it is enough for none."""
    return max((tier for tier, least in NEEDED_QUALITY.items() if quality >= least), default=0)


def complexity_of(*, visual: str, camera: str, duration_ms: int, subjects: int = 1) -> Complexity:
    """Judge a scene by its words, its camera, its length and how many things must stay themselves in it."""
    text = f"{visual} {camera}".lower()
    value, reasons = BASE, []
    for pattern, points, words in (
        (PEOPLE, 2, "people or hands"),
        (MOTION, 1, "an action"),
        (CHANGE, 2, "something that changes shape or light"),
        (MATTER, 1, "water, glass or reflections"),
        (CALM, -2, "a plain ground"),
    ):
        if re.search(pattern, text):
            value += points
            reasons.append(words)
    if duration_ms > 6000:
        value += 1
        reasons.append("a long take")
    if subjects > 1:
        value += 1
        reasons.append("several subjects")
    if camera and camera not in ("static", "push-in"):
        value += 1
        reasons.append(f"a moving camera ({camera})")
    return Complexity(max(1, min(10, value)), ", ".join(reasons) or "nothing unusual")
