"""Give each variant a look: an archetype and preset by the brief's genre, tone and pictures, with the reason."""

from dataclasses import replace

from campaigns.planning.text import stems
from campaigns.planning.types import BriefValues
from jobs.looks import LOOKS, USUAL, look_of
from jobs.plan import ClipPlan, Plan
from providers.values import Task

FUNNY = stems("meme funny ironic deadpan absurd witty joke silly comic parody internet")
QUIET = stems("editorial elegant premium refined minimal magazine luxurious understated sophisticated")
LOOK_OPTIONS = ("look", "background_from", "background_to")
BY_PERSON = "Chosen by a person."
TURNS = {"overlay": ("overlay_spotlight", "overlay_backdrop"), "meme": ("meme_classic", "meme_bars")}


def choose_look(brief: BriefValues, place: int) -> tuple[str, str]:
    """Return the look of the variant at a place (from 0), and why. Neighbours differ where the archetype allows it."""
    products = [a for a in brief.assets if a.kind == "image" and a.role == "product"]
    tone = stems(" ".join(brief.tone))
    if brief.ad_type == "meme":
        return _turn("meme", place), "The brief asks for a meme."
    if brief.ad_type == "overlay":
        if products:
            why = f"The brief asks for an overlay and has {_photos(len(products))} to cut out (a poor one is a card)."
            return _turn("overlay", place), why
        return USUAL, "The brief asks for an overlay but has no product photo to cut out, so pictures fill the frame."
    others = brief.ad_type in ("hero", "product_explainer")
    if others and tone & FUNNY and place % 2:
        return _turn("meme", place // 2), f"The tone is {_words(brief.tone)}: every other variant tries a meme."
    if others and products and place % 3 == 2:
        return "overlay_spotlight", f"A third variant tries the product alone: there is {_photos(len(products))}."
    if tone & QUIET:
        why = f"The tone is {_words(brief.tone)}: labels leave the pictures more room than headlines."
        return "hero_editorial", why
    return USUAL, f"The genre, {brief.ad_type.replace('_', ' ')}, fills the frame with its pictures."


def with_looks(plan: Plan, colours: dict[str, str]) -> Plan:
    """Return the plan with every clip that this machine films from pictures in its variant's look."""
    looks = {branch.key: branch.look for branch in plan.branches}
    return plan.with_changes(clips=tuple(_in_look(clip, looks[clip.branch], colours) for clip in plan.clips))


def choices() -> list[tuple[str, str]]:
    """Return every look with its words, for a form."""
    return [(look.key, f"{look.label}: {look.says}") for look in LOOKS.values()]


def _in_look(clip: ClipPlan, key: str, colours: dict[str, str]) -> ClipPlan:
    if clip.provider != "local" or clip.task != Task.IMAGE_TO_VIDEO.value:
        return clip
    look = look_of(key)
    options = {name: value for name, value in clip.options.items() if name not in LOOK_OPTIONS}
    if look.rests or look.cut_out:
        options["look"] = look.key
    ground = colours.get("background") or colours.get("primary")
    if look.cut_out and ground:
        options |= {"background_from": ground, "background_to": ground}
    return clip if options == clip.options else replace(clip, options=options)


def _turn(archetype: str, place: int) -> str:
    turns = TURNS[archetype]
    return turns[place % len(turns)]


def _photos(count: int) -> str:
    return "a product photo" if count == 1 else f"{count} product photos"


def _words(tone: tuple[str, ...]) -> str:
    return ", ".join(tone)
