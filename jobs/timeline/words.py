"""Events in the words people read."""

from genengine.core.events.models import Event
from genengine.core.money import format_micro
from jobs.execution.words import PEOPLE, people_state

__all__ = ["PEOPLE", "people_state", "say"]


def say(event: Event) -> tuple[str, str]:
    """Return an event as a sentence and its tone: plain, good, warn or bad."""
    data = event.data
    scene = f"Scene {str(data.get('scene', '')).lstrip('s')}" if data.get("scene") else ""
    reason = str(data.get("reason") or "")
    text = _TEXTS.get(event.type, event.type.replace(".", " ").replace("_", " "))
    shown = text.format_map(_Blank(data | {"cost": _cost(data), "seconds": data.get("delay_s", "")}))
    sentence = f"{scene}: {shown}" if scene else shown[:1].upper() + shown[1:]
    if reason and event.type not in _SAYS_REASON:
        sentence += f" – {reason}"
    return sentence, _TONES.get(event.type, "plain")


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""


def _cost(data: dict[str, object]) -> str:
    value = data.get("cost_micro")
    return format_micro(int(str(value))) if value is not None else ""


_SAYS_REASON = {"branch.retry"}
_TEXTS = {
    "job.created": "job started",
    "job.updated": "job is now {state}",
    "job.completed": "all variants are finished",
    "job.paused": "job paused",
    "job.resumed": "job resumed",
    "job.cancelled": "job cancelled",
    "job.rerun": "job rerun",
    "branch.dispatched": "sent to {provider} ({model})",
    "branch.retry": "trying again in {seconds} s, {reason}",
    "branch.fallback": "a local take stands in, marked as a fallback",
    "branch.completed": "variant finished",
    "branch.updated": "variant is now {state}",
    "clip.queued": "queued",
    "clip.collected": "result received",
    "clip.ready": "ready",
    "clip.held": "on hold for its budget",
    "clip.released": "released",
    "clip.paused": "paused",
    "clip.resumed": "resumed",
    "clip.needs_attention": "needs attention",
    "clip.failed": "failed",
    "clip.cancelled": "cancelled",
    "partial.rerun": "rerun asked for",
    "attempt.never_arrived": "{provider} has no task of it; it will be sent again",
    "attempt.fetch_failed": "the result could not be fetched yet: {cause}",
    "attempt.cancel_asked": "asked {provider} to stop: {outcome}",
    "take.selected": "another take was selected",
    "take.extra": "a late result was kept as an extra take",
    "clip.locked": "locked",
    "clip.unlocked": "unlocked",
    "plan.applied": "plan revision {number} was given to this job",
    "branch.paused": "variant paused",
    "branch.resumed": "variant resumed",
    "branch.cancelled": "variant cancelled",
    "branch.rerun": "variant rerun",
    "master.approved": "{ratio} {locale} approved",
    "master.approval_withdrawn": "approval of {ratio} {locale} withdrawn",
    "export.blocked": "export waits for its open points",
    "export.cleared": "export checked again",
    "export.building": "export package is being built",
    "export.checking": "export package is being checked",
    "export.failed": "export package failed",
    "attempt.submitted": "accepted by {provider}",
    "attempt.succeeded": "{provider} finished, {cost}",
    "attempt.failed": "{provider} failed",
    "attempt.refused": "{provider} did not accept it",
    "attempt.unknown": "the answer of {provider} was lost; looking it up, not sending again",
    "attempt.found": "found at {provider}",
    "attempt.presumed_spent": "not found in time; counted as spent",
    "attempt.collected": "take kept",
    "master.composing": "composing {ratio} {locale}",
    "master.checking": "checking {ratio} {locale}",
    "master.ready": "{ratio} {locale} is ready, checks: {verdict}",
    "master.stale": "{ratio} {locale} is out of date",
    "master.renewed": "{ratio} {locale} will be made again",
    "master.needs_attention": "{ratio} {locale} needs attention",
    "export.ready": "export package ready",
    "budget.changed": "budget changed",
}
_TONES = {
    "clip.ready": "good",
    "branch.completed": "good",
    "job.completed": "good",
    "master.ready": "good",
    "export.ready": "good",
    "branch.retry": "warn",
    "branch.fallback": "warn",
    "attempt.unknown": "warn",
    "clip.held": "warn",
    "master.stale": "warn",
    "clip.needs_attention": "bad",
    "clip.failed": "bad",
    "attempt.failed": "bad",
    "attempt.presumed_spent": "bad",
    "master.needs_attention": "bad",
}
