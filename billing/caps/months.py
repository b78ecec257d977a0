"""A monthly limit holds for every month: the first expense of a month opens its cap with the newest limit."""

from datetime import datetime

from billing.caps.models import Cap, CapScope
from genengine.workspaces.models import Workspace


def open_month(*, workspace: Workspace, book: str, now: datetime) -> None:
    """Create this month's cap from the last one, once; a workspace without a monthly limit gets none."""
    this_month = f"{now:%Y-%m}"
    months = Cap.objects.of(workspace).filter(book=book, scope=CapScope.MONTH)
    newest = months.order_by("-scope_id").first()
    if newest is None or newest.scope_id >= this_month:
        return
    Cap.objects.bulk_create(
        [
            Cap(
                workspace=workspace,
                book=book,
                scope=CapScope.MONTH,
                scope_id=this_month,
                limit_micro=newest.limit_micro,
            )
        ],
        ignore_conflicts=True,
    )
