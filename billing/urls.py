"""Addresses of money below a workspace."""

from django.urls import path

from billing.caps import views

urlpatterns = [path("settings/caps", views.caps, name="settings-caps")]
