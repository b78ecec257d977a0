"""Model cards as rows: what ships, what an operator writes, which terms hold when and for whom."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client

from compliance.trail.models import AuditEntry
from genengine.core.actors import SYSTEM
from genengine.workspaces.models import User, Workspace
from providers.catalogue import cards, get_card
from providers.registry.models import CardRevision, CardSource, ModelTest, ModelTestState
from providers.registry.queries import card_in_force, cards_in_force
from providers.registry.revisions import RevisionInvalid, revise_card, sync_cards
from providers.registry.terms import (
    TermsInvalid,
    facts_digest,
    price_values,
    read_off_peak,
    read_price,
    read_volume_tiers,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
KLING = "kling-2.6"
DOLLAR_PRICE = {"shape": "per_second", "amount": "0.10", "currency": "USD", "tiers": {"720p": "0.06"}}


def revise(*, at: datetime = NOW, workspace: Workspace | None = None, **terms: Any) -> CardRevision:
    return revise_card(
        model=KLING, terms=terms or {"price": DOLLAR_PRICE}, effective_from=at, note="price page of today",
        actor=SYSTEM, now=NOW, workspace=workspace,
    )  # fmt: skip


def price_at(moment: datetime, workspace: Workspace | None = None) -> Decimal:
    return card_in_force(KLING, workspace=workspace, at=moment).card.price.total(seconds=Decimal(1), tier="1080p")


def test_every_shipped_price_survives_its_row() -> None:
    for card in cards():
        assert read_price(price_values(card.price)) == card.price


def test_a_sync_writes_what_the_adapters_ship_once() -> None:
    before = cards_in_force(workspace=None, at=NOW)
    assert len(sync_cards(now=NOW).written) == len(cards())
    assert sync_cards(now=NOW + timedelta(days=1)).written == ()
    after = cards_in_force(workspace=None, at=NOW)
    assert {model: terms.card.price for model, terms in before.items()} == {
        model: terms.card.price for model, terms in after.items()
    }
    assert {terms.number for terms in after.values()} == {1}


def test_a_new_price_holds_from_its_date_on_and_the_old_one_until_then() -> None:
    sync_cards(now=NOW)
    shipped = price_at(NOW)
    revise(at=NOW + timedelta(days=10))
    assert price_at(NOW + timedelta(days=9)) == shipped
    assert price_at(NOW + timedelta(days=11)) == Decimal("0.10")
    assert card_in_force(KLING, workspace=None, at=NOW + timedelta(days=11)).number == 2


def test_the_database_refuses_to_change_or_delete_a_revision() -> None:
    revision = revise()
    for change in (
        lambda: CardRevision.objects.filter(pk=revision.pk).update(quality=1),
        lambda: CardRevision.objects.filter(pk=revision.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_an_operators_terms_survive_a_new_release_of_the_adapter() -> None:
    revise()
    report = sync_cards(now=NOW + timedelta(days=1))
    assert report.kept == (KLING,)
    assert price_at(NOW + timedelta(days=2)) == Decimal("0.10")


def test_a_contract_rate_holds_for_its_workspace_alone() -> None:
    sync_cards(now=NOW)
    ours, theirs = Workspace.objects.create(slug="a", name="A"), Workspace.objects.create(slug="b", name="B")
    revise(workspace=ours, price={**DOLLAR_PRICE, "amount": "0.01", "tiers": {}})
    assert price_at(NOW, ours) == Decimal("0.01")
    assert price_at(NOW, theirs) == price_at(NOW) == get_card(KLING).price.total(seconds=Decimal(1), tier="1080p")
    assert card_in_force(KLING, workspace=ours, at=NOW).is_contract


def test_volume_and_off_peak_reduce_the_price_of_a_plan() -> None:
    revise(
        price={**DOLLAR_PRICE, "tiers": {}},
        volume_tiers=[{"from_units": 1000, "percent_off": "10"}, {"from_units": 5000, "percent_off": "20"}],
        off_peak={"from": "22:00", "to": "06:00", "percent_off": "50"},
    )
    terms = card_in_force(KLING, workspace=None, at=NOW)

    def price(units: int, at: datetime) -> Decimal:
        return terms.priced(units=Decimal(units), at=at).price.total(seconds=Decimal(1))

    night = NOW.replace(hour=23)
    assert (price(0, NOW), price(1000, NOW), price(6000, NOW)) == (Decimal("0.10"), Decimal("0.09"), Decimal("0.08"))
    assert price(0, night) == Decimal("0.05")
    coming = terms.next_tier(Decimal(400))
    assert coming is not None
    assert coming.from_units == 1000
    assert terms.off_peak is not None
    assert terms.off_peak.next_start(NOW) == NOW.replace(hour=22)


def test_a_test_call_that_passed_verifies_a_card_until_its_facts_change() -> None:
    card = get_card("kling-3.0-turbo")
    assert card_in_force(card.id, workspace=None, at=NOW).card.unverified
    workspace = Workspace.objects.create(slug="a", name="A")
    test = ModelTest.objects.create(
        workspace=workspace, provider="kling", model=card.id, facts_digest=facts_digest(card), job_id=workspace.pk,
        price_micro=1, asked_at=NOW, state=ModelTestState.PASSED,
    )  # fmt: skip
    assert not card_in_force(card.id, workspace=None, at=NOW).card.unverified
    ModelTest.objects.filter(pk=test.pk).update(facts_digest="of another release")
    assert card_in_force(card.id, workspace=None, at=NOW).card.unverified


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"price": {"shape": "per_second", "amount": "-1", "currency": "USD"}}, "zero or more"),
        ({"price": {"shape": "monthly", "amount": "1", "currency": "USD"}}, "a price is one of"),
        ({"price": {"shape": "per_call", "amount": "1", "currency": "credits"}, "rate": None}, "give the rate"),
        ({"resolutions": ["8k"]}, "not 8k"),
        ({"longest_s": 1}, "makes at least 5 s"),
    ],
)
def test_refuses_terms_that_cannot_hold_and_says_what_would(terms: dict[str, Any], says: str) -> None:
    with pytest.raises((RevisionInvalid, TermsInvalid), match=says):
        revise(**terms)
    assert not CardRevision.objects.exists()


def test_refuses_tiers_that_do_not_rise_and_hours_that_cannot_be_read() -> None:
    with pytest.raises(TermsInvalid, match="must rise"):
        read_volume_tiers([{"from_units": 10, "percent_off": "20"}, {"from_units": 20, "percent_off": "10"}])
    with pytest.raises(TermsInvalid, match="22:00 to 06:00"):
        read_off_peak({"from": "late", "to": "early", "percent_off": "10"})


def test_refuses_a_revision_of_the_past_one_without_a_source_and_one_that_changes_nothing() -> None:
    with pytest.raises(RevisionInvalid, match="from now or later"):
        revise(at=NOW - timedelta(days=1))
    with pytest.raises(RevisionInvalid, match="where the terms come from"):
        revise_card(model=KLING, terms={}, effective_from=NOW, note=" ", actor=SYSTEM, now=NOW)
    revise()
    with pytest.raises(RevisionInvalid, match="changes nothing"):
        revise()


def test_an_operator_writes_the_next_revision_in_the_admin_with_an_audit_entry() -> None:
    sync_cards(now=NOW)
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator@example.com", "not used here"))
    form = browser.get("/operator/providers/cardrevision/add/?model=kling-2.6&after=1").context["adminform"].form
    posted = {name: "" if value is None else value for name, value in form.initial.items()}
    posted |= {"effective_from_0": "2099-01-01", "effective_from_1": "00:00:00", "source_note": "contract 7"}
    posted |= {"amount": "0.05", "price_tiers": "720p=0.03\n1080p=0.05", "volume": "1000=10%"}
    answer = browser.post("/operator/providers/cardrevision/add/", posted)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    made = CardRevision.objects.get(model=KLING, number=2)
    assert made.source == CardSource.OPERATOR
    assert made.price["tiers"] == {"720p": "0.03", "1080p": "0.05"}
    assert made.volume_tiers == [{"from_units": 1000, "percent_off": "10"}]
    assert AuditEntry.objects.filter(action="model_card.revised", subject_id=str(made.pk)).count() == 1
    posted["amount"] = "cheap"
    refused = browser.post("/operator/providers/cardrevision/add/", posted)
    assert refused.status_code == 200
    assert "Enter a number" in str(refused.context["adminform"].form.errors)


def test_the_admin_shows_revisions_and_changes_none() -> None:
    sync_cards(now=NOW)
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator@example.com", "not used here"))
    row = CardRevision.objects.get(model=KLING)
    assert b"Next revision" in browser.get("/operator/providers/cardrevision/?q=kling").content
    address = f"/operator/providers/cardrevision/{row.pk}/"
    assert browser.get(f"{address}change/").status_code == 200
    assert browser.post(f"{address}change/", {"quality": 1}).status_code == 403
    assert browser.post(f"{address}delete/", {"post": "yes"}).status_code == 403


def test_the_command_lists_the_terms_in_force() -> None:
    out = StringIO()
    call_command("registry", "sync", stdout=out)
    call_command("registry", "list", stdout=out)
    assert f"written={len(cards())} kept=0" in out.getvalue()
    assert "kling-3.0-turbo" in out.getvalue()
    assert "active/unverified" in out.getvalue()
