"""Give each variant a look: archetype and preset by its brief's genre, tone, audience and pictures, and why."""

import re
from dataclasses import dataclass, replace

from campaigns.planning.text import stems, words
from campaigns.planning.types import BriefValues
from jobs.looks import LOOKS, USUAL, look_of
from jobs.plan import ClipPlan, Plan
from providers.values import Task

FUNNY = stems("meme funny ironic deadpan absurd witty joke silly comic parody internet")
QUIET = stems("editorial elegant premium refined minimal magazine luxurious understated sophisticated")
LIVELY_PEOPLE = stems(
    "young youth teen teens teenager student pupil graduate genz zoomer gamer gaming streamer creator"
    " skater dancer runner athlete club festival party energetic"
)
QUIET_PEOPLE = stems(
    "design designer architect collector connoisseur executive investor luxury affluent premium discerning art"
    " gallery reader"
)
YOUNG = 30
AGES = re.compile(r"\b(1\d|[2-9]\d)\s*(?:-|–|to|bis|à|a)\s*([1-9]\d)\b")
LOOK_OPTIONS = ("look", "background_from", "background_to")
BY_PERSON = "Chosen by a person."
TURNS = {
    "overlay": ("overlay_spotlight", "overlay_backdrop"),
    "meme": ("meme_classic", "meme_bars"),
}
LIVELY_TURNS = {
    "hero": ("hero_bold", "hero_calm"),
    "overlay": ("overlay_split", "overlay_spotlight", "overlay_backdrop"),
    "meme": ("meme_caption", "meme_bars", "meme_classic"),
}
FULL_PICTURES = ("hero", "product_explainer", "ugc_talking_head", "music_video")


@dataclass(frozen=True)
class People:
    """What the words about the audience ask for, and which words those are."""

    lively: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()


def people_of(audience: str) -> People:
    """Return the words of a brief's audience that ask for a lively or a quiet look. Ages up to 30 are lively."""
    young = [f"{low} to {high}" for low, high in AGES.findall(audience) if int(high) <= YOUNG]
    said = words(audience)
    lively = [word for word in said if stems(word) & LIVELY_PEOPLE]
    quiet = [word for word in said if stems(word) & QUIET_PEOPLE]
    return People(tuple(dict.fromkeys([*lively, *young])), tuple(dict.fromkeys(quiet)))


def sways(audience: str) -> bool:
    """Whether the words about an audience can change a look."""
    return people_of(audience) != People()


def choose_look(brief: BriefValues, place: int) -> tuple[str, str]:
    """Return the look of the variant at a place (from 0), and why. Neighbours differ where the archetype allows it."""
    key, why = _chosen(brief, place)
    return key, f"{why} {look_of(key).calmer}".strip()


def _chosen(brief: BriefValues, place: int) -> tuple[str, str]:
    products = [a for a in brief.assets if a.kind == "image" and a.role == "product"]
    people, tone = people_of(brief.audience), stems(" ".join(brief.tone))
    lively = bool(people.lively) and not tone & QUIET
    turns = LIVELY_TURNS if lively else TURNS
    moved = f" Its audience ({_words(people.lively)}) makes the first variant livelier." if lively else ""
    if brief.ad_type == "meme":
        return _turn(turns["meme"], place), f"The brief asks for a meme.{moved}"
    if brief.ad_type == "overlay" and products:
        why = f"The brief asks for an overlay and has {_photos(len(products))} to cut out (a poor one is a card)."
        return _turn(turns["overlay"], place), why + moved
    if brief.ad_type == "overlay":
        return USUAL, "The brief asks for an overlay but has no product photo to cut out, so pictures fill the frame."
    others = brief.ad_type in ("hero", "product_explainer")
    if others and tone & FUNNY and place % 2:
        return _turn(turns["meme"], place // 2), f"The tone is {_words(brief.tone)}: every other variant tries a meme."
    if others and products and place % 3 == 2:
        return "overlay_spotlight", f"A third variant tries the product alone: there is {_photos(len(products))}."
    return _full_pictures(brief, people, place, lively=lively, quiet_tone=bool(tone & QUIET))


def _full_pictures(
    brief: BriefValues, people: People, place: int, *, lively: bool, quiet_tone: bool
) -> tuple[str, str]:
    """The look of a variant whose pictures fill the frame: by tone, then by audience, then by genre."""
    if quiet_tone:
        why = f"The tone is {_words(brief.tone)}: labels leave the pictures more room than headlines."
        return "hero_editorial", why
    if lively and brief.ad_type in FULL_PICTURES:
        why = f"The audience ({_words(people.lively)})"
        key = _turn(LIVELY_TURNS["hero"], place)
        return key, f"{why} suits one calm variant too." if key == USUAL else f"{why}: strong moves and hard cuts."
    if people.quiet:
        return "hero_editorial", f"The audience ({_words(people.quiet)}): labels leave the pictures room."
    return USUAL, f"The genre, {brief.ad_type.replace('_', ' ')}, fills the frame with its pictures."


def with_looks(plan: Plan, colours: dict[str, str]) -> Plan:
    """Return the plan with every clip that this machine films from pictures in its variant's look."""
    looks = {branch.key: branch.look for branch in plan.branches}
    return plan.with_changes(clips=tuple(_in_look(clip, looks[clip.branch], colours) for clip in plan.clips))


def choices() -> list[tuple[str, str]]:
    """Return every look with its words, for a form."""
    return [(look.key, f"{look.label}: {look.says}. {look.calmer}".rstrip(". ")) for look in LOOKS.values()]


def _in_look(clip: ClipPlan, key: str, colours: dict[str, str]) -> ClipPlan:
    if clip.provider != "local" or clip.task != Task.IMAGE_TO_VIDEO.value:
        return clip
    look = look_of(key)
    options = {name: value for name, value in clip.options.items() if name not in LOOK_OPTIONS}
    if look.films_otherwise:
        options["look"] = look.key
    ground = colours.get("background") or colours.get("primary")
    if look.cut_out and ground:
        second = (colours.get("accent") or colours.get("secondary")) if look.lively else ""
        options |= {"background_from": second or ground, "background_to": ground}
    return clip if options == clip.options else replace(clip, options=options)


def _turn(turns: tuple[str, ...], place: int) -> str:
    return turns[place % len(turns)]


def _photos(count: int) -> str:
    return "a product photo" if count == 1 else f"{count} product photos"


def _words(said: tuple[str, ...]) -> str:
    return ", ".join(said)
