"""Addresses of providers below a workspace."""

from django.urls import path

from providers.health import views as health
from providers.registry import views

urlpatterns = [
    path("settings/health", health.health, name="settings-health"),
    path("settings/providers", views.providers, name="settings-providers"),
    path("settings/providers/<slug:provider>/add", views.add, name="settings-provider-add"),
    path("settings/providers/accounts/<uuid:account_id>", views.change, name="settings-provider-change"),
]
