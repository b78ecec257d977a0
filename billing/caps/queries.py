"""Which caps an expense touches."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from billing.caps.models import Cap, CapScope
from billing.caps.types import NOBODY, Owners
from genengine.workspaces.models import Workspace
from genengine.workspaces.tenancy import TenantQuerySet


def caps_touched(
    *, workspace: Workspace, book: str, job_id: UUID, provider: str, now: datetime, owners: Owners = NOBODY
) -> TenantQuerySet:
    """Return the caps of the job, its provider, campaign and member, the month and the workspace, in one queryset."""
    scopes = (
        Q(scope=CapScope.WORKSPACE)
        | Q(scope=CapScope.MONTH, scope_id=f"{now:%Y-%m}")
        | Q(scope=CapScope.PROVIDER, scope_id=provider)
        | Q(scope=CapScope.JOB, scope_id=str(job_id))
    )
    if owners.campaign_id is not None:
        scopes |= Q(scope=CapScope.CAMPAIGN, scope_id=str(owners.campaign_id))
    if owners.member_id is not None:
        scopes |= Q(scope=CapScope.MEMBER, scope_id=str(owners.member_id))
    return Cap.objects.of(workspace).filter(scopes, book=book)


def spend_of_job(*, job_id: UUID) -> Cap | None:
    """Return the job's own cap row: its limit, what is held, what is spent."""
    return Cap.objects.filter(scope=CapScope.JOB, scope_id=str(job_id)).first()
