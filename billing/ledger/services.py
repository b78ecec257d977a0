"""Hold, commit, correct and release money. Each step locks the caps it touches and leaves a ledger line."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import F

from billing.caps.models import Cap, CapScope
from billing.caps.months import open_month
from billing.caps.owners import titles_of
from billing.caps.queries import caps_touched
from billing.caps.types import NOBODY, Owners
from billing.ledger.models import Entry, EntryKind, Reservation, ReservationState, Stage
from genengine.core.db import LockRank, lock_rows
from genengine.core.money import format_micro
from genengine.workspaces.models import Workspace


class CapReached(Exception):
    """Reserving this amount would pass a cap; nothing was reserved."""

    def __init__(self, cap: Cap, asked_micro: int) -> None:
        super().__init__(
            f"{titles_of([cap])[cap.pk]} budget: {format_micro(asked_micro)} is needed and"
            f" {format_micro(cap.available_micro)} of {format_micro(cap.limit_micro)} is left."
            f" {_who_raises(cap)}; or choose a cheaper model, or remove a variant."
        )
        self.cap, self.asked_micro = cap, asked_micro


def _who_raises(cap: Cap) -> str:
    if cap.scope == CapScope.JOB:
        return "An Approver can raise it on the job's page"
    return "An Admin can raise it under Settings, Caps"


class SettlementRefused(Exception):
    """The reservation has already had its verdict."""


def reserve(
    *,
    workspace: Workspace,
    book: str,
    job_id: UUID,
    subject_id: UUID,
    provider: str,
    model: str,
    amount_micro: int,
    now: datetime,
    stage: str = Stage.VIDEO,
    owners: Owners = NOBODY,
) -> Reservation:
    """Hold `amount_micro` under every cap it touches, or raise `CapReached` and hold nothing."""
    open_month(workspace=workspace, book=book, now=now)
    caps = _locked_caps(
        caps_touched(workspace=workspace, book=book, job_id=job_id, provider=provider, now=now, owners=owners)
    )
    for cap in caps:
        if amount_micro > cap.available_micro:
            raise CapReached(cap, amount_micro)
    reservation = Reservation.objects.create(
        workspace=workspace,
        book=book,
        job_id=job_id,
        subject_id=subject_id,
        stage=stage,
        provider=provider,
        model=model,
        amount_micro=amount_micro,
        created_at=now,
    )
    reservation.caps.set(caps)
    _post(reservation, caps, EntryKind.RESERVE, held=amount_micro, spent=0, now=now)
    return reservation


def commit(*, reservation: Reservation, attempt_id: UUID, now: datetime, note: str = "") -> None:
    """The vendor accepted, or may have: count the held amount as spent."""
    caps = _locked_caps(reservation.caps.all())
    _move(reservation, ReservationState.HELD, ReservationState.COMMITTED)
    amount = reservation.amount_micro
    _post(
        reservation,
        caps,
        EntryKind.COMMIT,
        held=-amount,
        spent=amount,
        now=now,
        attempt_id=attempt_id,
        note=note,
    )


def release(*, reservation: Reservation, now: datetime, note: str = "") -> None:
    """Nothing was spent: give the held amount back."""
    caps = _locked_caps(reservation.caps.all())
    _move(reservation, ReservationState.HELD, ReservationState.RELEASED, settled_micro=0)
    _post(reservation, caps, EntryKind.RELEASE, held=-reservation.amount_micro, spent=0, now=now, note=note)


def settle(
    *,
    reservation: Reservation,
    attempt_id: UUID,
    actual_micro: int,
    now: datetime,
    vendor_amount: Decimal | None = None,
    vendor_currency: str = "",
    note: str = "",
) -> None:
    """The verdict: correct a committed amount to what the vendor charged (0 when a failure is free)."""
    caps = _locked_caps(reservation.caps.all())
    _move(reservation, ReservationState.COMMITTED, ReservationState.SETTLED, settled_micro=actual_micro)
    _post(
        reservation,
        caps,
        EntryKind.CORRECT,
        held=0,
        spent=actual_micro - reservation.amount_micro,
        now=now,
        attempt_id=attempt_id,
        vendor_amount=vendor_amount,
        vendor_currency=vendor_currency,
        note=note,
    )


def correct_late(
    *,
    reservation: Reservation,
    attempt_id: UUID,
    actual_micro: int,
    now: datetime,
    vendor_amount: Decimal | None = None,
    vendor_currency: str = "",
    note: str = "",
) -> None:
    """The verdict of an outcome that had been presumed: correct what was counted as spent to the vendor's figure.

    Once for a reservation: a second call raises `SettlementRefused`.
    """
    caps = _locked_caps(reservation.caps.all())
    presumed = Reservation.objects.select_for_update().get(pk=reservation.pk)
    late = Entry.objects.filter(reservation=reservation, kind=EntryKind.LATE).exists()
    if presumed.state != ReservationState.SETTLED or presumed.settled_micro is None or late:
        raise SettlementRefused(f"reservation {reservation.pk} has had its late verdict, or waits for its first")
    Reservation.objects.filter(pk=reservation.pk).update(settled_micro=actual_micro)
    reservation.settled_micro = actual_micro
    _post(
        reservation,
        caps,
        EntryKind.LATE,
        held=0,
        spent=actual_micro - presumed.settled_micro,
        now=now,
        attempt_id=attempt_id,
        vendor_amount=vendor_amount,
        vendor_currency=vendor_currency,
        note=note,
    )


def _locked_caps(queryset: object) -> list[Cap]:
    return lock_rows(queryset, LockRank.CAP)  # type: ignore[arg-type]


def _move(reservation: Reservation, start: str, end: str, **changes: object) -> None:
    moved = Reservation.objects.filter(pk=reservation.pk, state=start).update(state=end, **changes)
    if not moved:
        raise SettlementRefused(f"reservation {reservation.pk} is not {start}")
    reservation.state = end


def _post(
    reservation: Reservation,
    caps: Sequence[Cap],
    kind: str,
    *,
    held: int,
    spent: int,
    now: datetime,
    attempt_id: UUID | None = None,
    vendor_amount: Decimal | None = None,
    vendor_currency: str = "",
    note: str = "",
) -> None:
    Entry.objects.create(
        workspace_id=reservation.workspace_id,
        reservation=reservation,
        book=reservation.book,
        kind=kind,
        held_delta_micro=held,
        spent_delta_micro=spent,
        job_id=reservation.job_id,
        attempt_id=attempt_id,
        vendor_amount=vendor_amount,
        vendor_currency=vendor_currency,
        note=note,
        at=now,
    )
    Cap.objects.filter(pk__in=[c.pk for c in caps]).update(
        held_micro=F("held_micro") + held, spent_micro=F("spent_micro") + spent
    )
