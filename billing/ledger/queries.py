"""Rebuild balances from the ledger and say where rows and book disagree."""

from django.db.models import Sum

from billing.caps.models import Cap
from billing.ledger.models import Entry, EntryKind, Reservation, ReservationState

CLOSED = {
    ReservationState.HELD: {EntryKind.RESERVE},
    ReservationState.COMMITTED: {EntryKind.RESERVE, EntryKind.COMMIT},
    ReservationState.SETTLED: {EntryKind.RESERVE, EntryKind.COMMIT, EntryKind.CORRECT},
    ReservationState.RELEASED: {EntryKind.RESERVE, EntryKind.RELEASE},
}


def ledger_problems() -> list[str]:
    """Return one sentence for each disagreement; an empty list means that the books hold."""
    return [*_cap_problems(), *_reservation_problems()]


def spent_micro(**filters: object) -> int:
    """Return what was spent by the ledger for some job, reservation or book."""
    return Entry.objects.filter(**filters).aggregate(total=Sum("spent_delta_micro"))["total"] or 0


def _cap_problems() -> list[str]:
    problems = []
    for cap in Cap.objects.order_by("pk"):
        sums = Entry.objects.filter(reservation__caps=cap).aggregate(
            held=Sum("held_delta_micro"), spent=Sum("spent_delta_micro")
        )
        held, spent = sums["held"] or 0, sums["spent"] or 0
        if (held, spent) != (cap.held_micro, cap.spent_micro):
            problems.append(
                f"cap {cap.pk}: row says held {cap.held_micro} spent {cap.spent_micro},"
                f" ledger says held {held} spent {spent}"
            )
    return problems


def _reservation_problems() -> list[str]:
    problems = []
    for reservation in Reservation.objects.prefetch_related("entries"):
        entries = list(reservation.entries.all())
        kinds = {e.kind for e in entries}
        if reservation.state == ReservationState.SETTLED:
            kinds -= {EntryKind.LATE}
        if kinds != CLOSED[ReservationState(reservation.state)]:
            problems.append(f"reservation {reservation.pk}: entries do not match state {reservation.state}")
        spent = sum(e.spent_delta_micro for e in entries)
        if reservation.state == ReservationState.SETTLED and spent != reservation.settled_micro:
            problems.append(f"reservation {reservation.pk}: settled {reservation.settled_micro}, ledger {spent}")
    return problems
