"""Model cards for operators: read every revision, write the next one. Nothing is changed in place."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from genengine.core import clock
from genengine.workspaces.admin_site import ReadOnly, StrictAdmin, operator_admin
from providers.registry.forms import CardRevisionForm, initial_values
from providers.registry.models import CardRevision, ModelTest
from providers.registry.revisions import RevisionInvalid, revise_card
from providers.registry.terms import TermsInvalid, read_price


@admin.register(CardRevision, site=operator_admin)
class CardRevisionAdmin(StrictAdmin):
    """What every model costs and since when. “Next revision” opens the form with the terms of a row."""

    form = CardRevisionForm
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

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's fields for a new revision, the row's own for one that is there."""
        if obj is None:
            return self.fieldsets
        return ((None, {"fields": [field.name for field in CardRevision._meta.fields]}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Only the new revision has a form; its own fields are not the model's."""
        if obj is not None:
            return super().get_form(request, obj, change, form=ModelForm, fields=())
        kwargs["fields"] = CardRevisionForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revision is never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor taken away."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the terms of the row that “Next revision” was asked for."""
        initial = super().get_changeform_initial_data(request)
        number = str(initial.pop("after", ""))
        rows = CardRevision.objects.filter(model=str(initial.get("model", "")))
        after = rows.filter(number=int(number)).first() if number.isdecimal() else None
        return initial_values(after) if after else initial

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

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turn a refusal of the service into a message on the same page."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (RevisionInvalid, TermsInvalid) as refusal:
            messages.error(request, f"Not kept: {refusal}.")
            request.method = "GET"
            return super().changeform_view(request, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit trail has it."""
        return None

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
        address = reverse("operator:providers_cardrevision_add")
        query = urlencode({"model": str(obj.model), "after": str(obj.number)})
        return format_html('<a href="{}?{}">Next revision</a>', address, query)


@admin.register(ModelTest, site=operator_admin)
class ModelTestAdmin(ReadOnly, StrictAdmin):
    """Test calls: which model was proved where, when and at what cost."""

    list_display = ("model", "state", "workspace", "asked_at", "ended_at", "cost_micro", "message")
    list_filter = ("state", "provider")
    list_select_related = ("workspace",)
