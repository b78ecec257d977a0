"""Which caps an expense touches."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from billing.caps.models import Cap, CapScope
from genengine.workspaces.models import Workspace


def caps_touched(*, workspace: Workspace, book: str, job_id: UUID, provider: str, now: datetime) -> object:
    """Return the caps of the job, of its provider, of the month and of the workspace, in one queryset."""
    scopes = (
        Q(scope=CapScope.WORKSPACE)
        | Q(scope=CapScope.MONTH, scope_id=f"{now:%Y-%m}")
        | Q(scope=CapScope.PROVIDER, scope_id=provider)
        | Q(scope=CapScope.JOB, scope_id=str(job_id))
    )
    return Cap.objects.of(workspace).filter(scopes, book=book)


def spend_of_job(*, job_id: UUID) -> Cap | None:
    """Return the job's own cap row: its limit, what is held, what is spent."""
    return Cap.objects.filter(scope=CapScope.JOB, scope_id=str(job_id)).first()
