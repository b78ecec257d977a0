"""Addresses of providers below a workspace."""

from django.urls import path

from providers.health import views as health
from providers.registry import views
from providers.voices import views as voices

urlpatterns = [
    path("settings/health", health.health, name="settings-health"),
    path("settings/providers", views.providers, name="settings-providers"),
    path("settings/voices", voices.voices, name="settings-voices"),
    path("settings/voices/sample", voices.sample, name="settings-voice-sample"),
    path("settings/providers/<slug:provider>/add", views.add, name="settings-provider-add"),
    path("settings/providers/accounts/<uuid:account_id>", views.change, name="settings-provider-change"),
]
