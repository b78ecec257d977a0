"""What the health page tells of a workspace's work with each model: clips that wait and are being made, and results
that passed their first check."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet

from genengine.workspaces.models import Workspace
from jobs.execution.models import Attempt, Clip
from jobs.execution.states import AttemptState, ClipState
from jobs.quality.models import Verdict
from providers.health.checks import PassRate
from providers.health.load import Load, Place

FIRST_CHECKS = """
SELECT attempt.provider, attempt.model, count(*) FILTER (WHERE report.verdict <> %(fail)s), count(*)
  FROM (SELECT DISTINCT ON (attempt_id) attempt_id, verdict FROM jobs_qualityreport
         WHERE workspace_id = %(workspace)s AND attempt_id IS NOT NULL
           AND created_at >= %(since)s AND created_at < %(until)s
         ORDER BY attempt_id, created_at) report
  JOIN jobs_attempt attempt ON attempt.id = report.attempt_id AND NOT attempt.fallback
  JOIN jobs_job job ON job.id = attempt.job_id AND job.mode = %(mode)s
 GROUP BY attempt.provider, attempt.model
"""
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


def first_checks(workspace: Workspace, since: datetime, until: datetime) -> dict[Place, PassRate]:
    """Count the results of each model by the first check of their file in a period. A later check of the same result,
    fetched once more, does not count."""
    values: dict[str, Any] = {"workspace": workspace.pk, "mode": workspace.mode, "fail": Verdict.FAIL.value}
    values |= {"since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(FIRST_CHECKS, values)
        return {(provider, model): PassRate(passed, checked) for provider, model, passed, checked in cursor.fetchall()}
