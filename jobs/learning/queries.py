"""Read what past work tells routing, at a cost that does not grow with what a workspace has made.

Figures come from the newest ended attempts of each model, straight from the rows of execution: nothing is copied, so
nothing can be counted twice, and an approval that comes a week later counts from then on. Only live attempts teach.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, FloatField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from genengine.workspaces.models import Mode, Workspace
from jobs.execution.models import Attempt, Clip
from jobs.execution.states import AttemptState
from jobs.learning.context import genres_of, verdicts_of
from jobs.learning.lanes import lanes_of
from jobs.routing.figures import Figures, Sample, figures_from
from jobs.routing.types import Measured
from providers.catalogue import adapters, cards
from providers.registry.queries import CardInForce, cards_in_force
from providers.values import PerCall, PerSecond

NEWEST = 200  # attempts a model that count
BUSY_FOR = timedelta(days=1)
OUR_OWN = ("content_refused", "invalid_request", "credentials_rejected", "quota_exhausted", "rate_limited",
           "unsupported")  # fmt: skip  # a refusal of what we sent says nothing about the model

SAMPLES = f"""
SELECT m.model, a.state, a.submitted_at, a.finished_at, a.cost_micro, (a.request->>'duration_s')::float AS seconds,
       j.brief_id, c.branch_id, q.verdict, q.score
FROM unnest(%(models)s::text[]) AS m(model)
CROSS JOIN LATERAL (
    SELECT a.* FROM jobs_attempt a JOIN jobs_job j ON j.id = a.job_id AND j.mode = '{Mode.LIVE.value}'
    WHERE a.workspace_id = %(workspace)s AND a.model = m.model AND a.finished_at <= %(at)s AND NOT a.fallback
      AND a.state = ANY(%(ended)s) AND (a.state <> '{AttemptState.REFUSED.value}' OR a.error IS NOT NULL)
      AND COALESCE(a.error->>'kind', '') <> ALL(%(our_own)s)
    ORDER BY a.finished_at DESC LIMIT {NEWEST}
) a
JOIN jobs_job j ON j.id = a.job_id
JOIN jobs_clip c ON c.id = a.clip_id
LEFT JOIN jobs_take t ON t.attempt_id = a.id
LEFT JOIN jobs_qualityreport q ON q.id = t.quality_id
"""  # noqa: S608 (constants of the code, no input)
ENDED = [
    state.value
    for state in (
        AttemptState.COLLECTED, AttemptState.FAILED, AttemptState.EXPIRED, AttemptState.PRESUMED_SPENT,
        AttemptState.REFUSED,
    )
]  # fmt: skip


def measured(*, workspace: Workspace, at: datetime, genre: str = "") -> Measured:
    """Return everything past work tells routing in this workspace and its mode. Simulated work teaches no figures."""
    live = workspace.mode == Mode.LIVE
    return Measured(
        figures=figures_of(workspace=workspace, at=at, genre=genre) if live else {},
        units=units_of_month(workspace=workspace, at=at),
        loads=loads_of(workspace=workspace, at=at),
        lanes=lanes_of(workspace=workspace, at=at),
    )


def figures_of(*, workspace: Workspace, at: datetime, genre: str = "") -> dict[str, Figures]:
    """Return what the newest live attempts of each vendor's model say, leaning on the expectation where few are."""
    rows = _sample_rows(workspace, at)
    genres = genres_of({row["brief_id"] for row in rows if row["brief_id"]})
    verdicts = verdicts_of({row["branch_id"] for row in rows})
    samples: dict[str, list[Sample]] = defaultdict(list)
    for row in rows:
        samples[row["model"]].append(_sample(row, at, genres.get(row["brief_id"], ""), verdicts.get(row["branch_id"])))
    return {model: figures_from(found, genre=genre) for model, found in samples.items()}


def _sample_rows(workspace: Workspace, at: datetime) -> list[dict[str, Any]]:
    known = adapters()
    models = [card.id for card in cards() if not known[card.provider].is_local]
    with connection.cursor() as cursor:
        cursor.execute(
            SAMPLES,
            {"models": models, "workspace": workspace.pk, "at": at, "ended": ENDED, "our_own": list(OUR_OWN)},
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _sample(row: Mapping[str, Any], at: datetime, genre: str, approved: bool | None) -> Sample:
    passed = row["state"] == AttemptState.COLLECTED and row["verdict"] != "fail"
    seconds = row["seconds"] or 0.0
    pace = None
    if passed and seconds and row["submitted_at"]:
        pace = max(0.0, (row["finished_at"] - row["submitted_at"]).total_seconds()) / seconds
    return Sample(
        age_days=(at - row["finished_at"]).total_seconds() / 86_400,
        passed=passed,
        score=float(row["score"]) / 10 if row["score"] is not None else None,
        approved=approved if passed else None,
        pace=pace,
        seconds=seconds,
        cost_micro=row["cost_micro"] or 0,
        genre=genre,
    )


def units_of_month(*, workspace: Workspace, at: datetime) -> dict[str, Decimal]:
    """Return what was billed this calendar month by model, in the unit of its price; only where volume tiers exist."""
    tiered = {model: terms for model, terms in cards_in_force(workspace=workspace, at=at).items() if terms.volume}
    if not tiered:
        return {}
    begin = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = (
        Attempt.objects.of(workspace)
        .filter(model__in=tiered, finished_at__gte=begin, finished_at__lte=at, job__mode=workspace.mode)
        .exclude(state=AttemptState.REFUSED)
        .exclude(cost_micro=0)
        .values("model")
        .annotate(calls=Count("pk"), seconds=Sum(Cast(KeyTextTransform("duration_s", "request"), FloatField())))
    )
    return {row["model"]: _units(tiered[row["model"]], row) for row in rows}


def _units(terms: CardInForce, row: Mapping[str, Any]) -> Decimal:
    if isinstance(terms.card.price, PerSecond):
        return Decimal(str(row["seconds"] or 0))
    return Decimal(row["calls"]) if isinstance(terms.card.price, PerCall) else Decimal(0)


def loads_of(*, workspace: Workspace, at: datetime) -> dict[str, int]:
    """Return how many clips each provider was given in the last day."""
    rows = (
        Clip.objects.of(workspace)
        .filter(job__workspace=workspace, job__created_at__gte=at - BUSY_FOR, job__mode=workspace.mode)
        .values_list("branch__provider")
        .annotate(clips=Count("pk"))
    )
    return dict(rows)
