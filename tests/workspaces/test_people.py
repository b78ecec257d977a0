"""People, invitations and workspaces through the services."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from compliance.trail.models import AuditEntry
from compliance.trail.services import verify_chains
from genengine.core import clock
from genengine.core.events.models import Event
from genengine.core.events.queries import broken_streams
from genengine.workspaces.models import Invitation, Membership, Role, User, Workspace
from genengine.workspaces.policy import NotAllowed, Principal
from genengine.workspaces.services import (
    InvitationInvalid,
    MembershipRefused,
    SettingsInvalid,
    accept_invitation,
    change_member,
    create_invitation,
    create_workspace,
    issue_ticket,
    remove_member,
    update_workspace,
    use_ticket,
)
from tests.factories.jobs import make_principal, make_workspace

pytestmark = pytest.mark.django_db


def events() -> list[str]:
    return list(Event.objects.order_by("seq").values_list("type", flat=True))


def membership_of(principal: Principal) -> Membership:
    return Membership.objects.get(workspace=principal.workspace, user=principal.user)


@pytest.mark.django_db(transaction=True)
def test_a_new_workspace_has_its_owner_as_admin_and_a_slug_of_its_own() -> None:
    owner = User.objects.create_user("owner@aurora.example", "x")
    first = create_workspace(name="Aurora Cold Brew", owner=owner, now=clock.now())
    second = create_workspace(name="Aurora Cold Brew", owner=owner, now=clock.now())
    assert (first.slug, second.slug) == ("aurora-cold-brew", "aurora-cold-brew-2")
    assert membership_of(make_principal(first, email=owner.email)).role == Role.ADMIN
    assert first.mode == "simulated"
    with pytest.raises(SettingsInvalid, match="taken"):
        create_workspace(name="Other", slug="aurora-cold-brew", owner=owner, now=clock.now())
    with pytest.raises(SettingsInvalid, match="name"):
        create_workspace(name="  ", owner=owner, now=clock.now())
    assert Workspace.objects.count() == 2
    assert not verify_chains()


def test_an_invitation_works_once_for_the_person_it_names_and_ends() -> None:
    admin = make_principal(make_workspace())
    now = clock.now()
    _, token = create_invitation(principal=admin, role=Role.EDITOR, email="new@aurora.example", now=now)
    assert not Invitation.objects.filter(token_hash=token).exists()
    stranger = User.objects.create_user("other@aurora.example", "x")
    with pytest.raises(InvitationInvalid, match=r"new@aurora\.example"):
        accept_invitation(token=token, user=stranger, now=now)
    guest = User.objects.create_user("new@aurora.example", "x")
    with pytest.raises(InvitationInvalid):
        accept_invitation(token=token, user=guest, now=now + timedelta(days=15))
    assert accept_invitation(token=token, user=guest, now=now).role == Role.EDITOR
    with pytest.raises(InvitationInvalid):
        accept_invitation(token=token, user=guest, now=now)
    assert events() == ["invitation.created", "member.joined"]


def test_an_invitation_never_takes_a_higher_role_away() -> None:
    admin = make_principal(make_workspace())
    _, token = create_invitation(principal=admin, role=Role.VIEWER, now=clock.now())
    assert admin.user is not None
    assert accept_invitation(token=token, user=admin.user, now=clock.now()).role == Role.ADMIN


def test_the_last_admin_can_neither_leave_nor_step_down() -> None:
    admin = make_principal(make_workspace())
    with pytest.raises(MembershipRefused, match="somebody else"):
        change_member(membership=membership_of(admin), principal=admin, role=Role.VIEWER, now=clock.now())
    with pytest.raises(MembershipRefused):
        remove_member(membership=membership_of(admin), principal=admin, now=clock.now())
    assert membership_of(admin).role == Role.ADMIN
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_at_once_leave_one() -> None:
    workspace = make_workspace()
    one, two = (make_principal(workspace, email=f"{name}@aurora.example") for name in ("one", "two"))

    def remove(who: Principal, whom: Principal) -> str:
        try:
            remove_member(membership=membership_of(whom), principal=who, now=clock.now())
        except (MembershipRefused, Membership.DoesNotExist):
            return "refused"
        finally:
            connection.close()
        return "removed"

    with ThreadPoolExecutor(2) as pool:
        results = [future.result() for future in (pool.submit(remove, one, two), pool.submit(remove, two, one))]
    assert sorted(results) == ["refused", "removed"]
    assert Membership.objects.filter(workspace=workspace, role=Role.ADMIN).count() == 1
    assert not broken_streams()


def test_only_an_admin_manages_people_and_settings() -> None:
    workspace = make_workspace()
    approver = make_principal(workspace, Role.APPROVER)
    viewer = make_principal(workspace, Role.VIEWER)
    with pytest.raises(NotAllowed):
        create_invitation(principal=approver, role=Role.VIEWER, now=clock.now())
    with pytest.raises(NotAllowed):
        change_member(membership=membership_of(viewer), principal=approver, role=Role.ADMIN, now=clock.now())
    with pytest.raises(NotAllowed):
        update_workspace(principal=approver, now=clock.now(), name="Mine")


def test_an_admin_has_no_say_in_another_workspace() -> None:
    stranger = make_principal(make_workspace("nord"))
    viewer = make_principal(make_workspace(), Role.VIEWER)
    with pytest.raises(NotAllowed):
        remove_member(membership=membership_of(viewer), principal=stranger, now=clock.now())


def test_settings_that_cannot_be_say_how_to_fix_them_and_change_nothing() -> None:
    admin = make_principal(make_workspace())
    with pytest.raises(SettingsInvalid) as refused:
        update_workspace(principal=admin, now=clock.now(), mode="real", parallel_generations=0, slug="x")
    assert set(refused.value.errors) == {"mode", "parallel_generations", "slug"}
    assert not Event.objects.exists()


def test_signing_in_out_and_failing_to_stand_in_the_workspace_stream() -> None:
    workspace = make_workspace()
    user = User.objects.create_user("ada@aurora.example", "a-long-password-1")
    Membership.objects.create(workspace=workspace, user=user, role=Role.VIEWER)
    browser = Client()
    wrong = {"login": user.email, "password": "wrong"}
    assert browser.post("/accounts/login/", wrong).status_code == 200
    assert browser.post("/accounts/login/", {**wrong, "password": "a-long-password-1"}).status_code == 302
    browser.post("/accounts/logout/")
    assert events() == ["session.refused", "session.signed_in", "session.signed_out"]
    assert AuditEntry.objects.count() == 3
    assert not Event.objects.filter(data__icontains="ada@").exists()


def test_a_failed_sign_in_of_an_unknown_address_leaves_no_trace_of_the_address() -> None:
    make_workspace()
    Client().post("/accounts/login/", {"login": "nobody@aurora.example", "password": "wrong"})
    assert not Event.objects.exists()


def test_a_ticket_opens_one_object_once_within_half_a_minute() -> None:
    viewer = make_principal(make_workspace(), Role.VIEWER)
    now = clock.now()
    other, job = viewer.workspace.pk, viewer.user.pk  # any ids: tickets know no business
    _, token = issue_ticket(principal=viewer, subject_id=job, now=now)
    assert use_ticket(token=token, subject_id=other, now=now) is None
    taken = use_ticket(token=token, subject_id=job, now=now)
    assert taken is not None
    assert taken.user == viewer.user
    assert use_ticket(token=token, subject_id=job, now=now) is None
    _, late = issue_ticket(principal=viewer, subject_id=job, now=now)
    assert use_ticket(token=late, subject_id=job, now=now + timedelta(seconds=31)) is None
