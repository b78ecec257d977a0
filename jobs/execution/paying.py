"""Names of jobs and of providers for the caps that limit them, and which clips on hold have money again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from billing.caps.models import Cap
from billing.caps.queries import caps_touched
from genengine.workspaces.models import Workspace
from jobs.execution.models import Clip, Job
from jobs.execution.services.dispatching import plan_of
from jobs.execution.states import ClipState
from jobs.plan import Plan
from providers.catalogue import adapters

MOST_LOOKED_AT = 500


def titles_of_jobs(workspace: Workspace, ids: Collection[str] | None) -> Mapping[str, str]:
    """Return jobs' titles by id; a job's limit is set on its own page, so that nothing is offered."""
    rows = Job.objects.of(workspace).filter(pk__in=ids or ())
    return {str(pk): title for pk, title in rows.values_list("pk", "title")}


def names_of_providers(workspace: Workspace, ids: Collection[str] | None) -> Mapping[str, str]:
    """Return providers' own spellings; the local engine costs nothing and is not offered."""
    known = {name: adapter.label for name, adapter in adapters().items()}
    return {name: label for name, label in known.items() if (name != "local" if ids is None else name in ids)}


def affordable_clips(*, now: datetime, limit: int) -> list[Clip]:
    """Return clips on hold whose next attempt every cap that it touches has room for, the longest waiting first."""
    rows = Clip.objects.filter(state=ClipState.HELD).select_related("job__workspace", "branch")
    asked = _Asked(now)
    found = []
    for clip in rows.order_by("state_changed_at", "position")[:MOST_LOOKED_AT]:
        if asked.has_room(clip):
            found.append(clip)
        if len(found) == limit:
            break
    return found


class _Asked:
    """What caps and plans said in one look, and what the clips found so far are about to take."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.plans: dict[tuple[UUID, int], Plan] = {}
        self.caps: dict[tuple[UUID, str], list[Cap]] = {}
        self.taken: dict[UUID, int] = {}

    def has_room(self, clip: Clip) -> bool:
        """Say whether every cap has room for the clip; if so, count it as taken."""
        plan = self.plans.get((clip.job_id, clip.plan_number))
        if plan is None:
            plan = self.plans[clip.job_id, clip.plan_number] = plan_of(clip.job_id, clip.plan_number)
        planned = plan.clip(clip.scene_key, clip.branch.key)
        price = planned.as_made().price_upper_micro
        caps = self._caps(clip.job, planned.provider)
        if any(price > cap.available_micro - self.taken.get(cap.pk, 0) for cap in caps):
            return False
        self.taken |= {cap.pk: self.taken.get(cap.pk, 0) + price for cap in caps}
        return True

    def _caps(self, job: Job, provider: str) -> list[Cap]:
        if (job.pk, provider) not in self.caps:
            touched = caps_touched(
                workspace=job.workspace, book=job.mode, job_id=job.pk, provider=provider, now=self.now,
                owners=job.owners,
            )  # fmt: skip
            self.caps[job.pk, provider] = list(touched)
        return self.caps[job.pk, provider]
