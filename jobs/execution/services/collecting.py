"""Take results in: bytes that are here, hashed, probed and decodable become takes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from billing.ledger import services as ledger
from genengine.assets.models import Blob
from genengine.assets.services import record_lineage
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.workspaces.models import Mode
from jobs.execution.leases import LeaseLost
from jobs.execution.models import Attempt, Clip, Job, Take, TakeKind
from jobs.execution.pricing import attempt_cost_micro
from jobs.execution.services.folding import touch
from jobs.execution.services.settling import lock_attempt
from jobs.execution.states import ATTEMPT, CLIP, AttemptState, ClipState
from jobs.quality.models import QualityReport
from providers.adapters.local import LocalEngine
from providers.values import Amount


@dataclass(frozen=True)
class TakeFacts:
    """A stored, checked result: what a take row needs to know."""

    blob: Blob
    poster: Blob | None
    width: int
    height: int
    fps: str
    duration_ms: int
    quality: QualityReport | None


@retry_conflicts
def collect_take(*, attempt_id: UUID, owner: str, facts: TakeFacts, now: datetime, cost: Amount | None = None) -> Take:
    """Store the take of a finished attempt and move its clip; each result is taken once.

    A result for a clip that no longer waits for it (cancelled, already ready) becomes an extra take.
    """
    with unit_of_work():
        attempt, job, clip = lock_attempt(attempt_id)
        if attempt.lease_owner != owner:
            raise LeaseLost(str(attempt_id))
        if attempt.state == AttemptState.INTENT:
            _finish(attempt, cost, now)
        ATTEMPT.apply(attempt, "collect", actor=SYSTEM, now=now, finished_at=now, lease_owner="", lease_until=None)
        take = _create_take(job, clip, attempt, facts, now)
        _note_sources(attempt, take)
        _place_take(clip, attempt, take, now)
        if attempt.reuses:
            _tell_reuse(clip, attempt, take, now)
        touch(job, now=now)
    return take


def _finish(attempt: Attempt, cost: Amount | None, now: datetime) -> None:
    """Settle an answer that came at once: the vendor's figure, else the price; the local engine is free."""
    named = attempt_cost_micro(attempt, cost)
    spent = attempt.price_micro if named is None else named
    ATTEMPT.apply(attempt, "finish", actor=SYSTEM, now=now, progress=1.0, cost_micro=spent, submitted_at=now)
    ledger.commit(reservation=attempt.reservation, attempt_id=attempt.pk, now=now)
    ledger.settle(reservation=attempt.reservation, attempt_id=attempt.pk, actual_micro=spent, now=now)


def _create_take(job: Job, clip: Clip, attempt: Attempt, facts: TakeFacts, now: datetime) -> Take:
    last = Take.objects.filter(clip=clip).aggregate(last=Max("number"))["last"] or 0
    return Take.objects.create(
        workspace_id=clip.workspace_id,
        job=job,
        clip=clip,
        number=last + 1,
        kind=_kind(attempt),
        parent_id=attempt.reuses.get("take"),
        attempt=attempt,
        plan_number=attempt.plan_number,
        blob=facts.blob,
        poster=facts.poster,
        width=facts.width,
        height=facts.height,
        fps=facts.fps,
        duration_ms=facts.duration_ms,
        simulated=job.mode == Mode.SIMULATED,
        quality=facts.quality,
        created_at=now,
    )


def _note_sources(attempt: Attempt, take: Take) -> None:
    """Note the files that a take was made from: a picture that a vendor only followed is told from one it shows."""
    given = {item["blob"]: item["role"] for item in attempt.request.get("inputs", ())}
    for source in Blob.objects.of(attempt.workspace_id).filter(pk__in=given):
        followed = given[str(source.pk)] == "reference" and attempt.provider != LocalEngine.name
        record_lineage(child=take.blob, parent=source, relation="guided_by" if followed else "generated_from")


def _kind(attempt: Attempt) -> TakeKind:
    if attempt.reuses:
        return TakeKind.REUSED
    return TakeKind.FALLBACK if attempt.fallback else TakeKind.GENERATED


def _tell_reuse(clip: Clip, attempt: Attempt, take: Take, now: datetime) -> None:
    facts = {"from_take": attempt.reuses["take"], "from_job": attempt.reuses["job"]}
    append_event(
        clip.event_stream(), "take.reused", actor=SYSTEM, now=now, subject_kind="take", subject_id=take.pk,
        data={**clip.event_facts(), "take": str(take.pk), "saves_micro": attempt.reuses["saves_micro"], **facts},
    )  # fmt: skip


def _place_take(clip: Clip, attempt: Attempt, take: Take, now: datetime) -> None:
    data = {"take": str(take.pk), "attempt": str(attempt.pk), "kind": take.kind}
    if attempt.fallback and clip.state == ClipState.NEEDS_ATTENTION:
        CLIP.apply(
            clip, "substitute", actor=SYSTEM, now=now, reason="a local take stands in", data=data,
            selected_take=take, finished_at=now,
        )  # fmt: skip
    elif clip.state == ClipState.GENERATING and _is_current(clip, attempt):
        CLIP.apply(clip, "collect", actor=SYSTEM, now=now, data=data)
        CLIP.apply(clip, "accept", actor=SYSTEM, now=now, data=data, selected_take=take, finished_at=now, failure=None)
    else:
        append_event(
            clip.event_stream(), "take.extra", actor=SYSTEM, now=now, subject_kind="take", subject_id=take.pk,
            data={**clip.event_facts(), **data},
        )  # fmt: skip


def _is_current(clip: Clip, attempt: Attempt) -> bool:
    """Say whether this attempt is the clip's newest; an older one that ends late adds a take, no more."""
    return not Attempt.objects.filter(clip=clip, number__gt=attempt.number).exists()
