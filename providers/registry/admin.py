"""Model cards for operators: read every revision, write the next one. Nothing is changed in place."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from genengine.core import clock
from genengine.workspaces.admin_site import Console, ReadOnly, RevisionAdmin, StrictAdmin, money_column, operator_admin
from providers.registry.forms import CardRevisionForm, initial_values
from providers.registry.models import CardRevision, ModelTest
from providers.registry.revisions import RevisionInvalid, revise_card
from providers.registry.terms import TermsInvalid, read_price


@admin.register(CardRevision, site=operator_admin)
class CardRevisionAdmin(RevisionAdmin):
    """What every model costs and since when. “Next revision” opens the form with the terms of a row."""

    console = Console.PROVIDERS
    listed_as = "Prices and facts of models"
    form = CardRevisionForm
    first_values = staticmethod(initial_values)
    refusals = (RevisionInvalid, TermsInvalid)
    list_display = ("model", "number", "status", "price_words", "effective_from", "source", "workspace", "follow_up")
    list_filter = ("provider", "status", "source")
    search_fields = ("model", "source_note")
    list_select_related = ("workspace",)
    date_hierarchy = "created_at"
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("model", "workspace", "status", "effective_from", "source_note")}),
        ("Price", {"fields": (
            "shape", "amount", "output_amount", "currency", "price_tiers", "rate_usd", "rate_as_of", "volume", "hours",
        )}),
        ("Use", {"fields": ("longest_s", "largest", "quality", "speed_s_per_s", "facts_sure")}),
    )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: CardRevision, form: Any, change: bool) -> None:
        """Append by the one service."""
        made = revise_card(
            model=form.cleaned_data["model"],
            terms=form.cleaned_data["terms"],
            effective_from=max(form.cleaned_data["effective_from"], clock.now()),
            note=form.cleaned_data["source_note"],
            workspace=form.cleaned_data["workspace"],
            actor=request.user.as_actor(),  # type: ignore[union-attr]
            author_id=request.user.pk,
            now=clock.now(),
        )
        obj.pk, obj.model, obj.number = made.pk, made.model, made.number

    @admin.display(description="price")
    def price_words(self, obj: CardRevision) -> str:
        """The price in one line."""
        price = read_price(obj.price)
        amount = getattr(price, "amount", None)
        shape = obj.price["shape"].replace("_", " ")
        return shape if amount is None else f"{amount:f} {price.currency} {shape}"

    @admin.display(description="")
    def follow_up(self, obj: CardRevision) -> str:
        """A link to the form, with this row's terms in it."""
        return self.next_revision(obj, model=str(obj.model))


@admin.register(ModelTest, site=operator_admin)
class ModelTestAdmin(ReadOnly, StrictAdmin):
    """Test calls: which model was proved where, when and at what cost."""

    console = Console.PROVIDERS
    listed_as = "Test calls"
    list_display = (
        "model",
        "state",
        "workspace",
        "asked_at",
        "ended_at",
        money_column("cost_micro", "cost"),
        "message",
    )
    search_fields = ("model", "message")
    list_filter = ("state", "provider")
    list_select_related = ("workspace",)
