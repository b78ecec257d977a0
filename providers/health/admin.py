"""Traffic and health of every account, for operators: to read."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from genengine.workspaces.admin_site import Console, ReadOnly, StrictAdmin, operator_admin, seconds_column
from providers.traffic.models import Circuit, Signal, Throttle


@admin.register(Circuit, site=operator_admin)
class CircuitAdmin(ReadOnly, StrictAdmin):
    """Whether each model at each account works, since when, and why not."""

    console = Console.PROVIDERS
    listed_as = "Health of models"
    list_display = (
        "model",
        "provider",
        "mode",
        "workspace",
        "state",
        "state_changed_at",
        "retry_at",
        seconds_column("usual_s", "usual time"),
        "cause",
    )
    list_filter = ("state", "throttle__mode", "throttle__provider")
    list_select_related = ("workspace", "throttle")
    search_fields = ("model", "cause")

    @admin.display(ordering="throttle__provider")
    def provider(self, row: Circuit) -> str:
        """The provider's stable name."""
        return row.throttle.provider

    @admin.display(ordering="throttle__mode")
    def mode(self, row: Circuit) -> str:
        """Live or simulated."""
        return row.throttle.mode


@admin.register(Throttle, site=operator_admin)
class ThrottleAdmin(ReadOnly, StrictAdmin):
    """What each account may do now."""

    console = Console.PROVIDERS
    listed_as = "What accounts may do now"
    list_display = ("provider", "mode", "workspace", "account", "tokens", "blocked_until", "strain", "checked_at")
    list_filter = ("mode", "provider")
    list_select_related = ("workspace", "account")


@admin.register(Signal, site=operator_admin)
class SignalAdmin(ReadOnly, StrictAdmin):
    """What single calls told; a week of them."""

    console = Console.PROVIDERS
    listed_as = "Calls of the last week"
    list_display = ("at", "provider", "model", "call", "verdict", "kind", seconds_column("seconds", "time"), "message")
    list_filter = ("verdict", "call", "throttle__mode", "throttle__provider")
    list_select_related = ("throttle",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Newest first."""
        return super().get_queryset(request).order_by("-at")

    def provider(self, row: Signal) -> str:
        """The provider's stable name."""
        return row.throttle.provider
