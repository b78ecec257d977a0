"""Clips of one job that ask the same: one is made, the others wait for it. The caller holds the job."""

from jobs.execution.models import Clip
from jobs.execution.states import ClipState

STILL_TO_START = (ClipState.PLANNED, ClipState.QUEUED, ClipState.PAUSED, ClipState.HELD)


def stop_sharing(first: Clip) -> None:
    """A clip no longer makes what others wait for: the next of them is made in its place, the rest wait for that."""
    waiting = Clip.objects.filter(waits_for=first, fresh=False, state__in=STILL_TO_START)
    heir = waiting.order_by("position", "branch__position").first()
    if heir is not None:
        take_the_lead(heir)


def take_the_lead(clip: Clip) -> None:
    """A clip that waited is made itself. Whoever waited for the same clip waits for this one from now on."""
    if clip.waits_for_id is None:
        return
    others = Clip.objects.filter(waits_for=clip.waits_for_id, fresh=False, state__in=STILL_TO_START)
    others.exclude(pk=clip.pk).update(waits_for=clip)
    Clip.objects.filter(pk=clip.pk).update(waits_for=None)
    clip.waits_for = None
