"""Addresses of briefs."""

from django.urls import path

from campaigns.briefs import views

urlpatterns = [
    path("", views.briefs, name="briefs"),
    path("new", views.new, name="brief-new"),
    path("<uuid:brief_id>", views.brief, name="brief"),
    path("<uuid:brief_id>/field", views.field, name="brief-field"),
    path("<uuid:brief_id>/script", views.script, name="brief-script"),
    path("<uuid:brief_id>/upload", views.upload, name="brief-upload"),
    path("<uuid:brief_id>/assets/<uuid:use_id>", views.asset, name="brief-asset"),
    path("<uuid:brief_id>/duplicate", views.duplicate, name="brief-duplicate"),
]
