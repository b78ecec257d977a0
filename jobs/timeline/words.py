"""Events in the words people read."""

from collections.abc import Iterable

from genengine.core.events.models import Event
from genengine.core.money import format_micro
from jobs.execution.line import Place
from jobs.execution.models import Branch, Clip
from jobs.execution.states import COMING, ClipState
from jobs.execution.words import PEOPLE, people_state
from jobs.plan import Plan
from jobs.routing.words import place_words
from providers.catalogue import UnknownProvider, adapter_class

__all__ = ["PEOPLE", "in_line", "people_state", "say", "waits_with"]


def in_line(place: Place) -> str:
    """Return a clip's place before its provider in words: "3rd in line at KlingAI, about 40 s"."""
    label = provider_label(place.provider)
    about = f", about {_duration(place.wait_s)}" if place.wait_s >= 1 else ""
    if place.blocked is not None:
        return f"Waiting for {label}: {place.blocked.words}{about}"
    return f"{_ordinal(place.number)} in line at {label}{about}"


def waits_with(clip: Clip, clips: Iterable[Clip], branches: Iterable[Branch], plan: Plan) -> str:
    """Say which other clip of the job is made for this one too; empty when it waits for none."""
    if clip.waits_for_id is None or clip.fresh or clip.state != ClipState.QUEUED:
        return ""
    shared = next(c for c in clips if c.pk == clip.waits_for_id)
    if shared.state not in COMING:
        return ""
    key = next(branch.key for branch in branches if branch.pk == shared.branch_id)
    paused = ", which is paused" if shared.state == ClipState.PAUSED else ""
    return f"Waits for the same clip, {place_words(shared.scene_key, key, plan)}{paused}"


def provider_label(name: str) -> str:
    """Return a provider's own spelling."""
    try:
        return adapter_class(name).label
    except UnknownProvider:
        return name


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def say(event: Event) -> tuple[str, str]:
    """Return an event as a sentence and its tone: plain, good, warn or bad."""
    data = event.data
    scene = f"Scene {str(data.get('scene', '')).lstrip('s')}" if data.get("scene") else ""
    reason = str(data.get("reason") or "")
    text = _TEXTS.get(event.type, event.type.replace(".", " ").replace("_", " "))
    shown = text.format_map(_Blank(data | _spelt(data) | {"cost": _cost(data), "saves": _saves(data)} | _outage(data)))
    sentence = f"{scene}: {shown}" if scene else shown[:1].upper() + shown[1:]
    if reason and event.type not in _SAYS_REASON:
        sentence += f" – {reason}"
    return sentence, _TONES.get(event.type, "plain")


class _Blank(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""


def _spelt(data: dict[str, object]) -> dict[str, object]:
    """Names and states as people write them."""
    spelt: dict[str, object] = {"seconds": data.get("delay_s", "")}
    if data.get("provider"):
        spelt["provider"] = provider_label(str(data["provider"]))
    if data.get("state"):
        spelt["state"] = str(data["state"]).replace("_", " ")
    return spelt


def _outage(data: dict[str, object]) -> dict[str, str]:
    """The words of events about vendors: who, to whom, for how much more, and the new expected end (UTC)."""
    if "eta_at" not in data and "from_provider" not in data:
        return {}
    difference = int(str(data.get("price_difference_micro") or 0))
    money = f", {format_micro(abs(difference))} {'more' if difference > 0 else 'less'}" if difference else ""
    to = data.get("to")
    return {
        "vendor": provider_label(str(data.get("provider", ""))),
        "left": provider_label(str(data.get("from_provider", ""))),
        "others": ", ".join(map(str, to)) if isinstance(to, list) else "",
        "money": money,
        "eta": str(data.get("eta_at", ""))[11:16],
    }


def _cost(data: dict[str, object]) -> str:
    value = data.get("cost_micro")
    return format_micro(int(str(value))) if value is not None else ""


def _saves(data: dict[str, object]) -> str:
    return format_micro(int(str(data.get("saves_micro") or 0)))


_SAYS_REASON = {"branch.retry"}
_TEXTS = {
    "job.created": "job started",
    "job.updated": "job: {state}",
    "job.completed": "all variants are finished",
    "job.paused": "job paused",
    "job.resumed": "job resumed",
    "job.cancelled": "job cancelled",
    "job.rerun": "job rerun",
    "branch.dispatched": "sent to {provider} ({model})",
    "branch.retry": "trying again in {seconds} s, {reason}",
    "branch.fallback": "a local take stands in, marked as a fallback",
    "branch.completed": "variant finished",
    "branch.updated": "variant: {state}",
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
    "attempt.engine_switched": "rendered by the {to_engine} engine instead of the {from_engine} one",
    "attempt.fetch_failed": "the result could not be fetched yet: {cause}",
    "attempt.cancel_asked": "asked {provider} to stop: {outcome}",
    "take.selected": "another take was selected",
    "take.extra": "a late result was kept as an extra take",
    "take.reused": "reused an earlier result of the same request: saves {saves}",
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
    "attempt.surfaced": "{provider} made it after all; its money is corrected and the result kept as an extra take",
    "clip.rerouted": "goes to {label} instead of {left}",
    "job.rebalanced": "{vendor} does not take its clips now: {clips} go to {others}{money}; new expected end {eta} UTC",
    "job.delayed": "{clips} clips wait for {vendor}; new expected end {eta} UTC",
    "job.provider_recovered": "{vendor} works again; expected end {eta} UTC",
    "attempt.presumed_spent": "not found in time; counted as spent",
    "attempt.collected": "take kept",
    "master.composing": "composing {ratio} {locale}",
    "master.engine_switched": "{ratio} {locale} is composed by the {to_engine} engine instead of the {from_engine} one",
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
    "take.reused": "good",
    "master.ready": "good",
    "export.ready": "good",
    "branch.retry": "warn",
    "attempt.engine_switched": "warn",
    "master.engine_switched": "warn",
    "clip.rerouted": "warn",
    "job.rebalanced": "warn",
    "job.delayed": "warn",
    "job.provider_recovered": "good",
    "attempt.surfaced": "warn",
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
