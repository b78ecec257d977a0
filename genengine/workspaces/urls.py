"""Addresses of sign-in's neighbours, the list of workspaces and a workspace's settings."""

from django.urls import path

from genengine.workspaces import views

SETTINGS = "w/<slug:slug>/settings"

urlpatterns = [
    path("", views.home, name="home"),
    path("theme", views.theme, name="theme"),
    path("join/<str:token>", views.join, name="join"),
    path(f"{SETTINGS}", views.general, name="settings"),
    path(f"{SETTINGS}/people", views.people, name="settings-people"),
    path(f"{SETTINGS}/people/invite", views.invite, name="settings-invite"),
    path(f"{SETTINGS}/people/invitations/<uuid:invitation_id>", views.revoke_invitation, name="settings-uninvite"),
    path(f"{SETTINGS}/people/<uuid:membership_id>", views.member, name="settings-member"),
    path(f"{SETTINGS}/keys", views.keys, name="settings-keys"),
    path(f"{SETTINGS}/keys/create", views.create_key, name="settings-key-create"),
    path(f"{SETTINGS}/keys/<uuid:key_id>/revoke", views.revoke_key, name="settings-key-revoke"),
]
