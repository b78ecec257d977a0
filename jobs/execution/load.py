"""How many clips of a workspace wait for each model and how many it is making, for the health page."""

from collections import defaultdict

from django.db.models import Count, QuerySet

from genengine.workspaces.models import Workspace
from jobs.execution.models import Attempt, Clip
from jobs.execution.states import AttemptState, ClipState
from providers.health.load import Load, Place

AT_THE_VENDOR = (AttemptState.INTENT, AttemptState.SUBMITTED, AttemptState.UNKNOWN)


def model_load(workspace: Workspace) -> dict[Place, Load]:
    """Count by provider and model; paused and cancelled jobs wait for nothing."""
    counts: defaultdict[Place, list[int]] = defaultdict(lambda: [0, 0])
    clips = Clip.objects.filter(
        job__workspace=workspace, job__mode=workspace.mode, job__paused=False, job__cancelled=False,
        branch__paused=False, state=ClipState.QUEUED,
    )  # fmt: skip
    attempts = Attempt.objects.filter(workspace=workspace, job__mode=workspace.mode, state__in=AT_THE_VENDOR)
    for number, rows in enumerate((_by_model(clips), _by_model(attempts))):
        for place, count in rows.items():
            counts[place][number] += count
    return {place: Load(waiting, running) for place, (waiting, running) in counts.items()}


def _by_model(rows: QuerySet[Clip] | QuerySet[Attempt]) -> dict[Place, int]:
    counted = rows.order_by().values_list("provider", "model").annotate(count=Count("pk"))
    return {(provider, model): count for provider, model, count in counted}
