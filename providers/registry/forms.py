"""The operator's form for a model card's next revision: figures as people write them, read into terms."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from genengine.core import clock
from providers.catalogue import cards, get_card
from providers.registry.models import CardRevision, CardStatus
from providers.registry.revisions import RevisionInvalid, check_terms
from providers.registry.terms import ALL_SHAPES, TermsInvalid

PAIR = re.compile(r"^\s*(?P<name>[^=\s]+)\s*=\s*(?P<value>[0-9.]+)\s*%?\s*$")
HOURS = re.compile(r"^\s*(?P<from>\d{2}:\d{2})\s*-\s*(?P<to>\d{2}:\d{2})\s*=\s*(?P<percent>[0-9.]+)\s*%?\s*$")
LINES = forms.Textarea(attrs={"rows": 3})


class CardRevisionForm(forms.ModelForm):
    """All terms of one model. A field that is left as it stands keeps what is in force."""

    model = forms.ChoiceField(choices=lambda: [(card.id, f"{card.label} ({card.id})") for card in cards()])
    shape = forms.ChoiceField(choices=[(name, name.replace("_", " ")) for name in ALL_SHAPES], label="Price is")
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=6, help_text="Of one unit; for tokens: what is read."
    )
    output_amount = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=6, help_text="Tokens only: what is written."
    )
    currency = forms.CharField(max_length=8, initial="USD", help_text="USD, CNY, or the vendor's credit.")
    price_tiers = forms.CharField(required=False, widget=LINES, help_text="One a line, by resolution: 1080p=0.112")
    rate_usd = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=6, label="Rate",
        help_text="US dollars for one unit of the currency above, when it is not USD.",
    )  # fmt: skip
    rate_as_of = forms.DateField(required=False, label="Rate as of")
    volume = forms.CharField(
        required=False, widget=LINES, label="Volume tiers",
        help_text="One a line: billed units in a calendar month (seconds, calls) from which a share is off: 1000=10%",
    )  # fmt: skip
    hours = forms.CharField(
        required=False, label="Off-peak", help_text="Hours in UTC and what is off, like 22:00-06:00=30%"
    )
    largest = forms.MultipleChoiceField(required=False, label="Resolutions", help_text="None chosen: all.", choices=())

    class Meta:
        model = CardRevision
        fields = ("workspace", "status", "longest_s", "quality", "speed_s_per_s", "facts_sure", "effective_from",
                  "source_note")  # fmt: skip
        help_texts: ClassVar[dict[str, str]] = {
            "workspace": "Only for a contract rate of one workspace.",
            "longest_s": "Seconds; empty: as long as the adapter allows.",
            "facts_sure": "You have read the vendor's reference yourself. A passed test call says the same.",
            "effective_from": "Now or later, UTC. Plans that were made keep the revision they name.",
            "source_note": "Where the terms come from: a page with its date, a contract, an invoice.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.data.get("model") or self.initial.get("model") or cards()[0].id
        try:
            sizes = get_card(str(chosen)).resolutions
        except LookupError:
            sizes = ()
        self.fields["largest"].choices = [(size, size) for size in sizes]  # type: ignore[attr-defined]
        self.fields["source_note"].required = True
        if not self.is_bound:
            self.initial.setdefault("effective_from", clock.now().astimezone(UTC).replace(microsecond=0))

    def clean(self) -> dict[str, Any]:
        """Read the figures into terms, kept as `terms`."""
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        try:
            values["terms"] = check_terms(get_card(values["model"]), self._terms(values))
        except (TermsInvalid, RevisionInvalid) as refusal:
            raise ValidationError(str(refusal)) from refusal
        return values

    def _terms(self, values: dict[str, Any]) -> dict[str, Any]:
        currency = values["currency"]
        hours = HOURS.match(values["hours"] or "")
        if values["hours"] and hours is None:
            raise TermsInvalid("off-peak hours are written like 22:00-06:00=30%")
        rate = None
        if values["rate_usd"] is not None and currency != "USD":
            rate = {
                "unit": currency,
                "usd": str(values["rate_usd"]),
                "as_of": (values["rate_as_of"] or date.today()).isoformat(),
            }
        volume = _pairs(values["volume"])
        return {
            **{name: values[name] for name in ("status", "longest_s", "quality", "speed_s_per_s", "facts_sure")},
            "price": _price(values, currency),
            "rate": rate,
            "volume_tiers": [{"from_units": units, "percent_off": share} for units, share in volume.items()],
            "off_peak": None if hours is None
            else {"from": hours["from"], "to": hours["to"], "percent_off": hours["percent"]},
            "resolutions": values["largest"],
        }  # fmt: skip


def _price(values: dict[str, Any], currency: str) -> dict[str, Any]:
    shape = values["shape"]
    if shape == "free":
        return {"shape": shape, "currency": currency}
    if values["amount"] is None:
        raise TermsInvalid("give the price of one unit, or choose free")
    if shape == "per_million_tokens":
        if values["output_amount"] is None:
            raise TermsInvalid("tokens have two prices: what is read and what is written")
        return {
            "shape": shape, "currency": currency, "input": str(values["amount"]), "output": str(values["output_amount"])
        }  # fmt: skip
    tiers = _pairs(values["price_tiers"])
    return {"shape": shape, "currency": currency, "amount": str(values["amount"]), "tiers": tiers}


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for line in filter(None, (part.strip() for part in (text or "").splitlines())):
        match = PAIR.match(line)
        if match is None:
            raise TermsInvalid(f"“{line}” cannot be read; write one pair a line, like 1080p=0.112 or 1000=10%")
        found[match["name"]] = match["value"]
    return found


def initial_values(revision: CardRevision) -> dict[str, Any]:
    """Return what a form for the next revision begins with: the terms in force."""
    price, rate, hours = revision.price, revision.rate or {}, revision.off_peak
    return {
        "model": revision.model,
        "workspace": revision.workspace_id,
        "status": revision.status or CardStatus.ACTIVE,
        "longest_s": revision.longest_s,
        "quality": revision.quality,
        "speed_s_per_s": revision.speed_s_per_s,
        "facts_sure": revision.facts_sure,
        "shape": price["shape"],
        "amount": price.get("amount", price.get("input")),
        "output_amount": price.get("output"),
        "currency": price["currency"],
        "price_tiers": "\n".join(f"{name}={amount}" for name, amount in price.get("tiers", {}).items()),
        "rate_usd": rate.get("usd"),
        "rate_as_of": rate.get("as_of"),
        "volume": "\n".join(f"{tier['from_units']}={tier['percent_off']}%" for tier in revision.volume_tiers),
        "hours": f"{hours['from']}-{hours['to']}={hours['percent_off']}%" if hours else "",
        "largest": revision.resolutions,
        "effective_from": datetime.now(UTC).replace(microsecond=0),
    }
