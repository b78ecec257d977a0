"""Approve and withdraw: a yes is bound to the exact bytes that the approver saw."""

from datetime import datetime

from campaigns.review.models import Approval
from campaigns.review.queries import standing_approval
from genengine.core import audit
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.events.services import append_event
from genengine.workspaces.policy import Action, Principal, require
from jobs.execution.models import Master
from jobs.execution.services.folding import lock_job
from jobs.execution.states import MasterState


class ApprovalRefused(Exception):
    """This master cannot be approved now; the sentence says why and what to do."""


@retry_conflicts
def approve(*, master: Master, principal: Principal, now: datetime, note: str = "", sha256: str = "") -> Approval:
    """Approve a finished master. `sha256`, when given, is what the person saw; another one is refused."""
    with unit_of_work():
        job = lock_job(master.job_id)
        require(principal, Action.APPROVE, job)
        master = Master.objects.select_related("quality").get(pk=master.pk)
        _check(master, principal, sha256)
        standing = standing_approval(master)
        if standing is not None:
            return standing
        user = principal.user
        if user is None:
            raise ApprovalRefused("only a person approves; sign in and approve on the review page")
        approval = Approval.objects.create(
            workspace_id=master.workspace_id,
            master=master,
            sha256=master.sha256,
            approver=user,
            note=note[:500],
            granted_at=now,
        )
        _tell(master, "master.approved", "approval.granted", principal, now, sha256=master.sha256)
    return approval


@retry_conflicts
def withdraw(*, master: Master, principal: Principal, now: datetime, reason: str = "") -> None:
    """Take a standing approval back."""
    with unit_of_work():
        job = lock_job(master.job_id)
        require(principal, Action.APPROVE, job)
        standing = Approval.objects.filter(master=master, withdrawn_at__isnull=True)
        if not standing.update(withdrawn_at=now, withdrawn_reason=reason[:200]):
            raise ApprovalRefused("there is no approval to withdraw")
        _tell(master, "master.approval_withdrawn", "approval.withdrawn", principal, now, reason=reason)


@retry_conflicts
def withdraw_outdated(now: datetime) -> int:
    """Withdraw approvals whose master has other bytes now; the pump's sweep calls this."""
    outdated = [a for a in Approval.objects.filter(withdrawn_at__isnull=True).exclude(master__sha256="")
                .select_related("master") if a.sha256 != a.master.sha256]  # fmt: skip
    for approval in outdated:
        with unit_of_work():
            lock_job(approval.master.job_id)
            rows = Approval.objects.filter(pk=approval.pk, withdrawn_at__isnull=True)
            if rows.update(withdrawn_at=now, withdrawn_reason="the video changed"):
                append_event(
                    approval.master.event_stream(), "master.approval_withdrawn", actor=SYSTEM, now=now,
                    subject_kind="master", subject_id=approval.master_id,
                    data={**approval.master.event_facts(), "reason": "the video changed"},
                )  # fmt: skip
    return len(outdated)


def _check(master: Master, principal: Principal, seen: str) -> None:
    if master.state != MasterState.READY:
        raise ApprovalRefused("this variant is not finished; wait until it is done")
    if seen and seen != master.sha256:
        raise ApprovalRefused("the video has changed since you opened it; watch the new version, then approve")
    if master.is_stand_in:
        raise ApprovalRefused("this only stands in for a video that could not be composed; rerun a scene first")
    if master.has_fallback:
        raise ApprovalRefused("a scene is a stand-in of the local engine; rerun it, or choose another take, first")
    if master.partial:
        raise ApprovalRefused("a scene is missing; rerun it first")
    workspace = principal.workspace
    if workspace.separate_author_and_approver and principal.user and master.job.created_by_id == principal.user.pk:
        raise ApprovalRefused("you launched this job; this workspace wants somebody else to approve it")


def _tell(master: Master, event: str, action: str, principal: Principal, now: datetime, **facts: str) -> None:
    append_event(
        master.event_stream(), event, actor=principal.actor, now=now, subject_kind="master", subject_id=master.pk,
        data={**master.event_facts(), **facts},
    )  # fmt: skip
    audit.record(
        workspace_id=master.workspace_id, actor=principal.actor, action=action, subject_kind="master",
        subject_id=master.pk, now=now, sha256=master.sha256,
    )  # fmt: skip
