"""Limits for operators: read every revision, write the next one. Nothing is changed in place."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import BooleanField, Case, QuerySet, Value, When
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from genengine.core import clock
from genengine.workspaces.admin_site import StrictAdmin, operator_admin
from providers.traffic.forms import LimitRevisionForm, initial_values, read_scope
from providers.traffic.limits import limits_in_force
from providers.traffic.models import LimitRevision
from providers.traffic.revisions import LimitInvalid, revise_limits


@admin.register(LimitRevision, site=operator_admin)
class LimitRevisionAdmin(StrictAdmin):
    """How much is sent to whom and since when. “Next revision” opens the form with the figures of a row."""

    form = LimitRevisionForm
    list_display = (
        "scope", "workspace", "number", "holds", "per_minute", "burst", "parallel", "effective_from", "follow_up",
        "reason",
    )  # fmt: skip
    list_filter = ("provider", "source")
    search_fields = ("provider", "model", "reason")
    list_select_related = ("workspace",)
    date_hierarchy = "created_at"
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("scope", "workspace", "per_minute", "burst", "parallel", "effective_from", "reason")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Mark the revisions that hold now."""
        holding = [row.pk for row in limits_in_force(at=clock.now()).rows.values()]
        now = Case(When(pk__in=holding, then=Value(True)), default=Value(False), output_field=BooleanField())
        return super().get_queryset(request).annotate(holds_now=now)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The form's fields for a new revision, the row's own for one that is there."""
        if obj is None:
            return self.fieldsets
        return ((None, {"fields": [field.name for field in LimitRevision._meta.fields]}),)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Only the new revision has a form; its own fields are not the model's."""
        if obj is not None:
            return super().get_form(request, obj, change, form=ModelForm, fields=())
        kwargs["fields"] = LimitRevisionForm.Meta.fields
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revision is never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor taken away."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the figures of the row that “Next revision” was asked for."""
        initial = super().get_changeform_initial_data(request)
        number = str(initial.pop("after", ""))
        provider, model = read_scope(str(initial.get("scope", "")))
        rows = LimitRevision.objects.filter(provider=provider, model=model)
        after = rows.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
        return initial_values(after) if after else initial

    def save_model(self, request: HttpRequest, obj: LimitRevision, form: Any, change: bool) -> None:
        """Append by the one service."""
        provider, model = read_scope(form.cleaned_data["scope"])
        made = revise_limits(
            provider=provider,
            model=model,
            limits=form.cleaned_data["limits"],
            effective_from=max(form.cleaned_data["effective_from"], clock.now()),
            reason=form.cleaned_data["reason"],
            workspace=form.cleaned_data["workspace"],
            actor=request.user.as_actor(),  # type: ignore[union-attr]
            author_id=request.user.pk,
            now=clock.now(),
        )
        obj.pk, obj.provider, obj.model, obj.number = made.pk, made.provider, made.model, made.number

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turn a refusal of the service into a message on the same page."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except LimitInvalid as refusal:
            messages.error(request, f"Not kept: {refusal}.")
            request.method = "GET"
            return super().changeform_view(request, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit trail has it."""
        return None

    @admin.display(description="limits of", ordering="provider")
    def scope(self, obj: LimitRevision) -> str:
        """The account or the model."""
        return f"{obj.provider}: {obj.model or 'account'}"

    @admin.display(description="holds")
    def holds(self, obj: Any) -> str:
        """Say whether it is in force now, or will be."""
        if obj.effective_from > clock.now():
            return "later"
        return "now" if obj.holds_now else "replaced"

    @admin.display(description="")
    def follow_up(self, obj: LimitRevision) -> str:
        """A link to the form, with this row's figures in it."""
        address = reverse("operator:providers_limitrevision_add")
        query = urlencode({"scope": initial_values(obj)["scope"], "after": str(obj.number)})
        return format_html('<a href="{}?{}">Next revision</a>', address, query)
