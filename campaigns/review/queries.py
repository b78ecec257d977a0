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


def verdicts_of_branches(branches: Iterable[UUID]) -> dict[UUID, bool]:
    """Return which variants have a standing approval, and which had one that was taken back."""
    rows = Approval.objects.filter(master__branch__in=tuple(branches)).values_list("master__branch", "withdrawn_at")
    verdicts: dict[UUID, bool] = {}
    for branch, withdrawn_at in rows:
        verdicts[branch] = verdicts.get(branch, False) or withdrawn_at is None
    return verdicts
