"""Whose an expense is, beside its job, its provider and its workspace."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Owners:
    """The campaign that an expense is for and the member who asked for it, by id; either may be nobody's."""

    campaign_id: UUID | None = None
    member_id: UUID | None = None


NOBODY = Owners()
