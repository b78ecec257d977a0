"""Limits for operators: read every revision, write the next one. Nothing is changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import BooleanField, Case, QuerySet, Value, When
from django.http import HttpRequest

from genengine.core import clock
from genengine.workspaces.admin_site import Console, RevisionAdmin, operator_admin
from providers.traffic.forms import LimitRevisionForm, initial_values, read_scope
from providers.traffic.limits import limits_in_force
from providers.traffic.models import LimitRevision
from providers.traffic.revisions import LimitInvalid, revise_limits


@admin.register(LimitRevision, site=operator_admin)
class LimitRevisionAdmin(RevisionAdmin):
    """How much is sent to whom and since when. “Next revision” opens the form with the figures of a row."""

    console = Console.PROVIDERS
    listed_as = "Limits of accounts and models"
    form = LimitRevisionForm
    first_values = staticmethod(initial_values)
    refusals = (LimitInvalid,)
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

    def identity(self, initial: Mapping[str, Any]) -> dict[str, str]:
        """The account or the model."""
        provider, model = read_scope(str(initial.get("scope", "")))
        return {"provider": provider, "model": model}

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
        return self.next_revision(obj, scope=initial_values(obj)["scope"])
