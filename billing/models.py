"""Models of billing, by feature."""

from billing.caps.models import Cap, CapScope
from billing.ledger.models import Entry, EntryKind, Reservation, ReservationState, Stage

__all__ = ["Cap", "CapScope", "Entry", "EntryKind", "Reservation", "ReservationState", "Stage"]
