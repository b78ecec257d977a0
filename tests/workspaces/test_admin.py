"""The admin as people meet it: by console, in words and amounts, and never more than is theirs."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from billing.caps.models import Cap, CapScope
from billing.caps.services import set_cap
from compliance.trail.models import AuditEntry
from genengine.workspaces.models import Membership, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def admin_of(*workspaces: Workspace) -> tuple[Client, Principal]:
    user = User.objects.create_user(f"admin@{workspaces[0].slug}.example")
    for workspace in workspaces:
        Membership.objects.create(workspace=workspace, user=user, role=Role.ADMIN)
    client = Client()
    client.force_login(user)
    principal = principal_of_user(user, workspaces[0])
    assert principal is not None
    return client, principal


@pytest.fixture
def north() -> Workspace:
    return Workspace.objects.create(slug="north", name="North")


def capped(workspace: Workspace, principal: Principal, micro: int) -> None:
    set_cap(
        workspace=workspace, book=workspace.mode, scope=CapScope.MONTH, scope_id="2026-11", limit_micro=micro,
        actor=principal.actor, now=NOW,
    )  # fmt: skip


def test_the_index_is_grouped_by_what_people_come_for(north: Workspace) -> None:
    client, _ = admin_of(north)
    groups = client.get("/admin/").context["app_list"]
    names = {group["name"]: [model["name"] for model in group["models"]] for group in groups}
    assert list(names) == ["Compliance", "Money", "Providers and models", "Work", "People and keys",
                           "Workspaces and processes"]  # fmt: skip
    assert names["Money"] == ["Caps", "Lines of the ledger", "Money held and settled"]
    assert names["People and keys"] == ["API keys", "Invitations", "Members"]
    operator = User.objects.create_superuser("operator@example.com")
    client.force_login(operator)
    shown = client.get("/operator/").context["app_list"]
    assert [group["name"] for group in shown][:2] == ["Compliance", "Providers and models"]


def test_the_trail_names_the_account_in_words_and_cannot_be_changed(north: Workspace) -> None:
    client, principal = admin_of(north)
    capped(north, principal, 1_500_000)
    entry = AuditEntry.objects.get(chain=str(north.pk), action="cap.set")
    page = client.get("/admin/compliance/auditentry/").content.decode()
    assert "Cap set" in page
    assert "admin@north.example" in page
    address = f"/admin/compliance/auditentry/{entry.pk}/change/"
    one = client.get(address).content.decode()
    assert 'class="facts-table"' in one
    assert "<input" not in one.split('id="content"')[1].replace('<input type="hidden"', "")
    assert client.post(address, {"action": "nothing.happened"}).status_code == 403
    assert client.post(address.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_amounts_are_in_dollars_and_a_filter_offers_no_other_workspace(north: Workspace) -> None:
    south, foreign = (Workspace.objects.create(slug=slug, name=slug.title()) for slug in ("south", "foreign"))
    client, principal = admin_of(north, south)
    capped(north, principal, 1_500_000)
    _, stranger = admin_of(foreign)
    capped(foreign, stranger, 7_000_000)
    second = principal_of_user(User.objects.get(email="admin@north.example"), south)
    assert second is not None
    capped(south, second, 2_000_000)
    page = client.get("/admin/billing/cap/").content.decode()
    assert "$1.50" in page
    assert "$7.00" not in page
    assert "South" in page
    assert "Foreign" not in page
    assert Cap.objects.count() == 3
