"""Limits as rows: what ships, what an operator writes, which figures hold when, where and for whom."""

import re
import uuid
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client

from compliance.trail.models import AuditEntry
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from genengine.workspaces.models import User, Workspace
from providers.catalogue import adapters
from providers.health.queries import provider_health
from providers.limits import TrafficLimits
from providers.traffic.limits import limits_in_force
from providers.traffic.models import Circuit, LimitRevision, LimitSource, Throttle
from providers.traffic.queries import passages
from providers.traffic.revisions import LimitInvalid, revise_limits, sync_limits
from providers.traffic.services import circuit_of, take_place
from providers.traffic.types import Wait, WaitReason
from tests.factories.jobs import make_workspace

pytestmark = pytest.mark.django_db
KLING = "kling-2.6"
ADD = "/operator/providers/limitrevision/add/"


def revise(*, now: datetime, at: datetime | None = None, **values: Any) -> LimitRevision:
    """Write KlingAI's next limits."""
    figures = {name: values.pop(name) for name in ("per_minute", "burst", "parallel") if name in values}
    return revise_limits(
        provider="kling", limits=TrafficLimits(**figures), effective_from=at or now, now=now,
        reason="tier 3 of the account", actor=SYSTEM, **values,
    )  # fmt: skip


def make_circuit(workspace: Workspace, *, model: str = KLING, provider: str = "kling") -> Circuit:
    return circuit_of(workspace=workspace, mode="simulated", provider=provider, model=model, now=clock.now())


def take(circuit: Circuit, *, now: datetime, flying: int = 0, of_model: int = 0) -> Wait | None:
    with unit_of_work():
        return take_place(
            circuit=circuit, holder=uuid.uuid4(), in_flight=lambda model: of_model if model else flying, now=now
        )


def operator() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator@example.com", "not used here"))
    return browser


def test_a_sync_writes_what_the_adapters_declare_once_and_changes_no_limit() -> None:
    now = clock.now()
    before = limits_in_force(at=now)
    written = sync_limits(now=now).written
    assert {"kling", "heygen", "veo/veo-3.1-generate-001"} <= set(written)
    assert "local" not in written
    assert sync_limits(now=now + timedelta(days=1)).written == ()
    after = limits_in_force(at=now)
    for name, kind in adapters().items():
        assert after.of_account(name, workspace=None) == before.of_account(name, workspace=None)
        for card in kind.models:
            assert after.of_model(name, card.id, workspace=None) == before.of_model(name, card.id, workspace=None)


def test_an_edit_holds_for_the_next_place_and_the_history_stays(settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 5
    now = clock.now()
    sync_limits(now=now)
    circuit = make_circuit(make_workspace())
    assert take(circuit, now=now, flying=5) is not None
    revise(now=now, parallel=7)
    assert take(circuit, now=now, flying=6) is None
    full = take(circuit, now=now, flying=7)
    assert full is not None
    assert (full.reason, full.words) == (WaitReason.PARALLEL, "at most 7 clips are made there at once")
    rows = LimitRevision.objects.filter(provider="kling", model="").order_by("number")
    assert [(row.number, row.source, row.parallel) for row in rows] == [(1, "shipped", None), (2, "operator", 7)]


def test_a_new_rate_and_bucket_hold_for_the_next_place() -> None:
    now = clock.now()
    circuit = make_circuit(make_workspace())
    revise(now=now, per_minute=60, burst=2)
    assert [take(circuit, now=now) is None for _ in range(3)] == [True, True, False]
    assert take(circuit, now=now + timedelta(seconds=1.1)) is None
    revise(now=now, per_minute=6000, burst=100)
    assert [take(circuit, now=now + timedelta(seconds=2)) for _ in range(50)] == [None] * 50


def test_a_revision_of_the_future_waits_for_its_date() -> None:
    now = clock.now()
    circuit = make_circuit(make_workspace())
    revise(now=now, parallel=3)
    revise(now=now, at=now + timedelta(days=2), parallel=9)
    assert take(circuit, now=now + timedelta(days=1), flying=3) is not None
    assert take(circuit, now=now + timedelta(days=2), flying=8) is None


def test_the_tier_of_one_workspaces_account_is_its_own() -> None:
    now = clock.now()
    ours, theirs = make_workspace(), make_workspace("other")
    revise(now=now, parallel=2)
    revise(now=now, parallel=20, workspace=ours)
    assert take(make_circuit(ours), now=now, flying=19) is None
    assert take(make_circuit(theirs), now=now, flying=2) is not None
    (health,) = provider_health(workspace=ours, now=now)
    assert health.parallel == 20


def test_a_models_own_limits_hold_on_top_of_its_accounts() -> None:
    now, workspace = clock.now(), make_workspace()
    narrow, wide = make_circuit(workspace), make_circuit(workspace, model="kling-3.0-turbo")
    revise(now=now, model=KLING, per_minute=60, burst=1, parallel=1)
    full = take(narrow, now=now, flying=1, of_model=1)
    assert full is not None
    assert full.reason is WaitReason.PARALLEL
    assert take(narrow, now=now) is None
    waits = take(narrow, now=now)
    assert waits is not None
    assert (waits.reason, waits.words) == (WaitReason.RATE, "at most 60 requests a minute are sent to this model")
    assert waits.until == pytest.approx(now + timedelta(seconds=1), abs=timedelta(milliseconds=50))
    known = passages(workspaces=[workspace.pk], now=now)
    assert known[workspace.pk, "simulated", "kling", KLING].wait == waits
    assert take(wide, now=now, flying=1, of_model=1) is None
    assert take(narrow, now=now + timedelta(seconds=1.1)) is None


def test_an_account_without_a_token_costs_its_model_none() -> None:
    now = clock.now()
    circuit = make_circuit(make_workspace())
    revise(now=now, model=KLING, per_minute=60, burst=5)
    Throttle.objects.update(tokens=0, refilled_at=now)
    assert take(circuit, now=now) is not None
    circuit.refresh_from_db()
    assert circuit.tokens is None


def test_a_vendors_quota_of_a_model_ships_with_its_adapter() -> None:
    sync_limits(now=clock.now())
    book = limits_in_force(at=clock.now())
    assert book.of_model("veo", "veo-3.1-generate-001", workspace=None) == TrafficLimits(per_minute=50, burst=5)
    assert book.of_model("veo", "veo-3.1-lite-generate-001", workspace=None) == TrafficLimits()


def test_an_operators_limits_survive_a_new_release_of_the_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    sync_limits(now=now)
    revise(now=now, parallel=7)
    monkeypatch.setattr(adapters()["kling"], "traffic", TrafficLimits(parallel=2))
    monkeypatch.setattr(adapters()["veo"], "model_traffic", {})
    report = sync_limits(now=now + timedelta(seconds=1))
    assert report.kept == ("kling",)
    assert set(report.written) == {"veo/veo-3.1-generate-001", "veo/veo-3.1-fast-generate-001"}
    book = limits_in_force(at=now + timedelta(seconds=2))
    assert book.of_account("kling", workspace=None).parallel == 7
    assert book.of_model("veo", "veo-3.1-generate-001", workspace=None) == TrafficLimits()


def test_the_database_refuses_to_change_or_delete_a_revision_of_limits() -> None:
    row = revise(now=clock.now(), parallel=7)
    for change in (
        lambda: LimitRevision.objects.filter(pk=row.pk).update(parallel=1),
        lambda: LimitRevision.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"parallel": 5000}, "1 to 1000"),
        ({"per_minute": 100_000}, "1 to 60000"),
        ({"burst": 5}, "needs the requests a minute"),
        ({"per_minute": 10, "burst": 11}, "choose 1 to 10"),
        ({"parallel": 2, "model": "veo3.1"}, "has no model “veo3.1”; it has kling-"),
        ({"parallel": 2, "at": clock.now() - timedelta(days=1)}, "from now or later"),
    ],
)
def test_refuses_limits_that_cannot_be_meant_and_says_what_could(values: dict[str, Any], says: str) -> None:
    with pytest.raises(LimitInvalid, match=says):
        revise(now=clock.now(), **values)
    assert not LimitRevision.objects.exists()


def test_refuses_limits_without_a_reason_of_no_vendor_and_those_that_change_nothing() -> None:
    now = clock.now()
    facts: dict[str, Any] = {"limits": TrafficLimits(parallel=7), "effective_from": now, "actor": SYSTEM, "now": now}
    with pytest.raises(LimitInvalid, match="say why"):
        revise_limits(provider="kling", reason=" ", **facts)
    with pytest.raises(LimitInvalid, match="GE_LOCAL_PARALLEL"):
        revise_limits(provider="local", reason="slow machine", **facts)
    revise(now=now, parallel=7)
    with pytest.raises(LimitInvalid, match="changes nothing"):
        revise(now=now, parallel=7)


def test_an_operator_writes_the_next_limits_in_the_admin_with_an_audit_entry() -> None:
    sync_limits(now=clock.now())
    browser = operator()
    form = browser.get(f"{ADD}?scope=heygen&after=1").context["adminform"].form
    assert (form.initial["scope"], form.initial["parallel"]) == ("heygen", 10)
    posted = {name: "" if value is None else value for name, value in form.initial.items()}
    posted |= {"effective_from_0": "2099-01-01", "effective_from_1": "00:00:00", "reason": "contract 7"}
    posted |= {"parallel": "40", "per_minute": "120", "burst": "10"}
    answer = browser.post(ADD, posted)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = LimitRevision.objects.get(provider="heygen", model="", number=2)
    assert (made.source, made.parallel, made.per_minute, made.burst) == (LimitSource.OPERATOR, 40, 120, 10)
    assert made.author_id is not None
    entry = AuditEntry.objects.get(action="limits.revised", subject_id=str(made.pk))
    assert entry.facts["parallel"] == 40
    refused = browser.post(ADD, posted | {"burst": "500"})
    assert refused.status_code == 200
    assert "choose 1 to 120" in str(refused.context["adminform"].form.errors)
    again = browser.post(ADD, posted)
    assert "changes nothing" in again.content.decode()


def test_the_admin_shows_which_limits_hold_and_changes_none() -> None:
    now = clock.now()
    sync_limits(now=now)
    revise(now=now, parallel=7)
    revise(now=now, at=now + timedelta(days=1), parallel=9)
    browser = operator()
    page = browser.get("/operator/providers/limitrevision/?q=kling")
    words = re.findall(r'field-holds">([a-z]+)<', page.content.decode())
    assert words == ["later", "now", "replaced"]
    assert b"Next revision" in page.content
    address = f"/operator/providers/limitrevision/{LimitRevision.objects.filter(provider='kling')[0].pk}/"
    assert browser.get(f"{address}change/").status_code == 200
    assert browser.post(f"{address}change/", {"parallel": 1}).status_code == 403
    assert browser.post(f"{address}delete/", {"post": "yes"}).status_code == 403


def test_the_command_lists_the_limits_that_are_kept_to(settings: LazySettings) -> None:
    settings.GE_PROVIDER_PARALLEL = 5
    out = StringIO()
    call_command("registry", "sync", stdout=out)
    workspace = make_workspace()
    revise(now=clock.now(), parallel=20, workspace=workspace)
    call_command("registry", "list", stdout=out)
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert "limits kling rev 1 shipped 300 requests a minute, 30 at once, 5 tasks side by side" in lines
    assert "limits veo veo-3.1-generate-001 rev 1 shipped 50 requests a minute, 5 at once" in lines
    own = StringIO()
    call_command("registry", "list", workspace=workspace.slug, stdout=own)
    assert "20 tasks side by side" in own.getvalue()
