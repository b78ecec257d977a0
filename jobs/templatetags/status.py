"""`{% status state %}`: a state as people see it, by word, colour and shape (DESIGN §3)."""

from dataclasses import dataclass

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from genengine.core.templatetags.ui import icon

register = template.Library()


@dataclass(frozen=True)
class Look:
    """A word, a colour class and the name of a shape."""

    word: str
    css: str
    shape: str


QUEUED = Look("Queued", "st-queued", "st-queued")
ATTENTION = Look("Needs attention", "st-attention", "st-attention")
RENDERING = Look("Rendering", "st-rendering", "st-rendering")
QC = Look("QC", "st-qc", "st-qc")
DONE = Look("Done", "st-done", "st-done")
FAILED = Look("Failed", "st-failed", "st-failed")

LOOKS: dict[str, Look] = {
    "planned": QUEUED,
    "queued": QUEUED,
    "pending": QUEUED,
    "requested": QUEUED,
    "stale": QUEUED,
    "intent": QUEUED,
    "paused": Look("Paused", "st-paused", "st-paused"),
    "held": Look("On hold: budget", "st-held", "st-held"),
    "generating": RENDERING,
    "submitted": RENDERING,
    "succeeded": RENDERING,
    "finished": RENDERING,
    "composing": RENDERING,
    "building": Look("Packing", "st-rendering", "st-rendering"),
    "checking": QC,
    "needs_attention": ATTENTION,
    "unknown": ATTENTION,
    "blocked": ATTENTION,
    "presumed_spent": ATTENTION,
    "ready": DONE,
    "collected": DONE,
    "approved": Look("Approved", "st-done", "st-done"),
    "delivered": DONE,
    "failed": FAILED,
    "refused": FAILED,
    "expired": FAILED,
    "cancelled": Look("Cancelled", "st-cancelled", "st-cancelled"),
    "draft": Look("Draft", "st-queued", "edit"),
    "launched": Look("Launched", "st-done", "st-done"),
    "archived": Look("Archived", "st-cancelled", "st-cancelled"),
    "pass": Look("Pass", "st-done", "st-done"),
    "warn": Look("Warning", "st-attention", "st-attention"),
    "fail": Look("Fail", "st-failed", "st-failed"),
}


def look_of(state: str) -> Look:
    """Return how a state looks; a state that nobody named is shown as it is, in the neutral look."""
    return LOOKS.get(state, Look(state.replace("_", " ").capitalize(), "st-queued", "st-queued"))


@register.simple_tag
def status(state: str, word: str = "") -> SafeString:
    """Draw a status chip."""
    look = look_of(str(state))
    return format_html(
        '<span class="chip {}" data-state="{}">{}<span>{}</span></span>',
        look.css,
        state,
        icon(look.shape),
        word or look.word,
    )


@register.filter
def status_class(state: str) -> str:
    """Return only the colour class of a state."""
    return look_of(str(state)).css


@register.filter
def status_word(state: str) -> str:
    """Return only the word of a state."""
    return look_of(str(state)).word


@register.simple_tag
def verdict(value: str) -> SafeString:
    """Draw the verdict of a check; an unknown is a question, never a pass."""
    if value == "unknown":
        return status("unknown", "Not measured")
    return status(value)


ATTEMPT_WORDS = {
    "intent": "about to be sent",
    "submitted": "at the provider",
    "succeeded": "made, being fetched",
    "finished": "made, being kept",
    "collected": "result received",
    "refused": "refused by the provider",
    "failed": "failed",
    "expired": "gave no result in time",
    "unknown": "outcome not known yet",
    "presumed_spent": "outcome never learnt, counted as paid",
}


@register.filter
def attempt_words(state: str) -> str:
    """Return how an attempt stands, for people."""
    return ATTEMPT_WORDS[state]
