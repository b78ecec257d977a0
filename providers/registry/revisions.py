"""Write card revisions: from the adapters by `registry sync`, from operators by the admin. Never in place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from genengine.core import audit
from genengine.core.actors import SYSTEM, Actor
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import Workspace
from providers.catalogue import cards, get_card
from providers.registry.models import CardRevision, CardSource, CardStatus
from providers.registry.terms import (
    TermsInvalid,
    digest_of,
    off_peak_values,
    price_values,
    rate_values,
    read_off_peak,
    read_price,
    read_rate,
    read_volume_tiers,
    volume_values,
)
from providers.values import ModelCard, SecondsRange

TERMS = (
    "status", "price", "rate", "volume_tiers", "off_peak", "longest_s", "resolutions", "quality", "speed_s_per_s",
    "facts_sure",
)  # fmt: skip
UNCHANGED = "this changes nothing: the revision in force has the same terms"


class RevisionInvalid(ValueError):
    """A card revision cannot be kept; the text says what would be."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did: revisions written, and models whose operator's terms were kept although the adapter changed."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


@retry_conflicts
def sync_cards(*, now: datetime) -> SyncReport:
    """Bring the rows to what the adapters ship. An operator's revision stays in force; the report names it."""
    written: list[str] = []
    kept: list[str] = []
    with unit_of_work():
        newest = {
            row.model: row
            for row in CardRevision.objects.filter(workspace__isnull=True)
            .order_by("model", "-number")
            .distinct("model")
        }
        shipped = dict(
            CardRevision.objects.filter(source=CardSource.SHIPPED)
            .order_by("model", "-number")
            .distinct("model")
            .values_list("model", "terms_digest")
        )
        for card in cards():
            terms = shipped_terms(card)
            if shipped.get(card.id) == digest_of(terms):
                continue
            current = newest.get(card.id)
            if current is not None and current.source == CardSource.OPERATOR:
                kept.append(card.id)
                continue
            _append(
                card, terms, workspace=None, source=CardSource.SHIPPED, now=now, actor=SYSTEM, author_id=None,
                effective_from=now if current else datetime(card.prices_as_of.year, 1, 1, tzinfo=UTC),
                note=f"shipped with the adapter, prices of {card.prices_as_of}",
            )  # fmt: skip
            written.append(card.id)
    return SyncReport(tuple(written), tuple(kept))


@retry_conflicts
def revise_card(
    *,
    model: str,
    terms: dict[str, Any],
    effective_from: datetime,
    note: str,
    actor: Actor,
    now: datetime,
    author_id: UUID | None = None,
    workspace: Workspace | None = None,
) -> CardRevision:
    """Append an operator's revision with an audit entry. Raises `RevisionInvalid` or `TermsInvalid`.

    `terms` are the fields of `TERMS` as JSON; a workspace makes it that workspace's contract rate.
    """
    card = get_card(model)
    checked = check_terms(card, terms)
    if effective_from < now and (now - effective_from).total_seconds() > 60:
        raise RevisionInvalid("a revision holds from now or later: plans that were made named the price of their time")
    if not note.strip():
        raise RevisionInvalid("say where the terms come from: a price page with its date, a contract, an invoice")
    with unit_of_work():
        held = CardRevision.objects.select_for_update().filter(model=model, workspace=workspace)
        newest = held.order_by("-number").first()
        if newest is not None and newest.terms_digest == digest_of(checked):
            raise RevisionInvalid(UNCHANGED)
        return _append(
            card, checked, workspace=workspace, source=CardSource.OPERATOR, effective_from=effective_from,
            note=note.strip()[:300], actor=actor, author_id=author_id, now=now,
        )  # fmt: skip


def shipped_terms(card: ModelCard) -> dict[str, Any]:
    """Return the terms an adapter ships."""
    return {
        "status": CardStatus.ACTIVE.value,
        "price": price_values(card.price),
        "rate": rate_values(card.rate),
        "volume_tiers": [],
        "off_peak": None,
        "longest_s": None,
        "resolutions": [],
        "quality": card.quality,
        "speed_s_per_s": card.speed_s_per_s,
        "facts_sure": not card.unverified,
    }


def check_terms(card: ModelCard, terms: dict[str, Any]) -> dict[str, Any]:
    """Return the terms in their one written form, completed from what the adapter ships."""
    values = {**shipped_terms(card), **terms}
    price, rate = read_price(values["price"]), read_rate(values["rate"])
    if price.currency != "USD" and (rate is None or rate.unit != price.currency):
        raise TermsInvalid(f"the price is in {price.currency}: give the rate of one {price.currency} in US dollars")
    if values["status"] not in CardStatus.values:
        raise RevisionInvalid(f"the status is one of {', '.join(CardStatus.values)}")
    unknown = [item for item in values["resolutions"] if item not in card.resolutions]
    if unknown:
        raise RevisionInvalid(f"{card.label} makes {', '.join(card.resolutions) or 'one size'}; not {unknown[0]}")
    if not 1 <= int(values["quality"]) <= 10:
        raise RevisionInvalid("quality is 1 to 10")
    if float(values["speed_s_per_s"]) <= 0:
        raise RevisionInvalid("speed is the seconds of waiting for one second of video, above 0")
    _check_longest(card, values["longest_s"])
    return {
        **{name: values[name] for name in ("status", "longest_s", "resolutions")},
        "price": price_values(price),
        "rate": rate_values(rate),
        "volume_tiers": volume_values(read_volume_tiers(values["volume_tiers"])),
        "off_peak": off_peak_values(read_off_peak(values["off_peak"])),
        "quality": int(values["quality"]),
        "speed_s_per_s": float(values["speed_s_per_s"]),
        "facts_sure": bool(values["facts_sure"]),
    }


def _check_longest(card: ModelCard, longest_s: int | None) -> None:
    if longest_s is None:
        return
    span = card.durations
    least = span.low if isinstance(span, SecondsRange) else min(span, default=0)
    if longest_s < least:
        raise RevisionInvalid(f"{card.label} makes at least {least:g} s; choose that or more, or pause the model")


def _append(
    card: ModelCard,
    terms: dict[str, Any],
    *,
    workspace: Workspace | None,
    source: CardSource,
    effective_from: datetime,
    note: str,
    actor: Actor,
    author_id: UUID | None,
    now: datetime,
) -> CardRevision:
    last = CardRevision.objects.filter(model=card.id).aggregate(last=Max("number"))["last"] or 0
    revision = CardRevision.objects.create(
        workspace=workspace,
        provider=card.provider,
        model=card.id,
        number=last + 1,
        effective_from=effective_from,
        source=source,
        source_note=note,
        terms_digest=digest_of(terms),
        author_id=author_id,
        created_at=now,
        **terms,
    )
    audit.record(
        workspace_id=workspace.pk if workspace else None,
        actor=actor,
        action="model_card.revised",
        subject_kind="model_card",
        subject_id=revision.pk,
        now=now,
        model=card.id,
        number=revision.number,
        effective_from=effective_from.isoformat(),
        terms=revision.terms_digest,
    )
    return revision
