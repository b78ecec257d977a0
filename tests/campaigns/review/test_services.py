"""Approval binds to exact bytes."""

import pytest

from campaigns.review.models import Approval
from campaigns.review.queries import standing_approval, standing_approvals
from campaigns.review.services import ApprovalRefused, approve, withdraw, withdraw_outdated
from compliance.trail.models import AuditEntry
from genengine.core import clock
from genengine.core.events.queries import events_after
from genengine.workspaces.policy import NotAllowed, Principal
from jobs.execution.models import Job, Master
from tests.factories.jobs import make_principal, make_workspace
from tests.factories.masters import finish_master, make_finished_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def approver() -> Principal:
    return make_principal(make_workspace(), "approver")


@pytest.fixture
def master(approver: Principal) -> Master:
    job: Job = make_finished_job(make_principal(approver.workspace, "editor"))
    return job.masters.get()


def test_an_approver_approves_what_was_seen(approver: Principal, master: Master) -> None:
    approval = approve(master=master, principal=approver, now=clock.now(), sha256=master.sha256, note="good")
    assert (approval.sha256, approval.approver) == (master.sha256, approver.user)
    assert standing_approval(master) == approval
    assert "master.approved" in [e.type for e in events_after(subject_id=master.job_id)]
    assert AuditEntry.objects.filter(action="approval.granted", subject_id=str(master.pk)).count() == 1


def test_approving_twice_is_one_approval(approver: Principal, master: Master) -> None:
    first = approve(master=master, principal=approver, now=clock.now())
    assert approve(master=master, principal=approver, now=clock.now()) == first
    assert Approval.objects.count() == 1


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_only_an_approver_approves(master: Master, role: str) -> None:
    principal = make_principal(master.workspace, role)
    with pytest.raises(NotAllowed, match="needs the role Approver"):
        approve(master=master, principal=principal, now=clock.now())


def test_a_video_that_changed_since_it_was_opened_is_refused(approver: Principal, master: Master) -> None:
    seen = master.sha256
    finish_master(master, content=b"another version")
    with pytest.raises(ApprovalRefused, match="has changed"):
        approve(master=master, principal=approver, now=clock.now(), sha256=seen)


def test_an_approval_falls_when_the_video_changes(approver: Principal, master: Master) -> None:
    approve(master=master, principal=approver, now=clock.now())
    finish_master(master, content=b"another version")
    assert standing_approval(master) is None
    assert withdraw_outdated(clock.now()) == 1
    assert Approval.objects.get().withdrawn_reason == "the video changed"
    assert withdraw_outdated(clock.now()) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"has_fallback": True}, "stand-in"),
        ({"partial": True}, "missing"),
        ({"state": "composing"}, "not finished"),
    ],
)
def test_what_is_not_whole_is_not_approved(
    approver: Principal, master: Master, changes: dict[str, object], words: str
) -> None:
    Master.objects.filter(pk=master.pk).update(**changes)
    with pytest.raises(ApprovalRefused, match=words):
        approve(master=master, principal=approver, now=clock.now())


def test_the_author_does_not_approve_where_the_workspace_wants_two_people(approver: Principal) -> None:
    approver.workspace.separate_author_and_approver = True
    own = make_finished_job(approver).masters.get()
    other = make_finished_job(make_principal(approver.workspace, "editor")).masters.get()
    with pytest.raises(ApprovalRefused, match="somebody else"):
        approve(master=own, principal=approver, now=clock.now())
    approve(master=other, principal=approver, now=clock.now())


def test_an_approval_can_be_taken_back(approver: Principal, master: Master) -> None:
    approve(master=master, principal=approver, now=clock.now())
    withdraw(master=master, principal=approver, now=clock.now(), reason="typo")
    assert standing_approvals([master]) == {}
    with pytest.raises(ApprovalRefused, match="no approval"):
        withdraw(master=master, principal=approver, now=clock.now())
    approve(master=master, principal=approver, now=clock.now())
    assert standing_approval(master) is not None
