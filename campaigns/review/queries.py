"""Which masters are approved, by their exact bytes."""

from collections.abc import Iterable
from uuid import UUID

from campaigns.review.models import Approval
from jobs.execution.models import Master


def standing_approval(master: Master) -> Approval | None:
    """Return the approval of exactly these bytes, or nothing."""
    rows = Approval.objects.filter(master=master, sha256=master.sha256, withdrawn_at__isnull=True)
    return rows.select_related("approver").first()


def standing_approvals(masters: Iterable[Master]) -> dict[UUID, Approval]:
    """Return the standing approvals of some masters, by master."""
    by_id = {m.pk: m for m in masters}
    rows = Approval.objects.filter(master__in=by_id, withdrawn_at__isnull=True).select_related("approver")
    return {a.master_id: a for a in rows if a.sha256 == by_id[a.master_id].sha256}
