"""Addresses of briefs, plans, review and delivery below a workspace."""

from django.urls import include, path

from campaigns.brand import views as brand
from campaigns.dashboard import views as dashboard
from campaigns.delivery import views as delivery
from campaigns.review import views as review

urlpatterns = [
    path("", dashboard.workspace, name="workspace"),
    path("briefs/", include("campaigns.briefs.urls")),
    path("briefs/<uuid:brief_id>/", include("campaigns.planning.urls")),
    path("settings/brand", brand.kits, name="settings-brand"),
    path("settings/brand/new", brand.new, name="settings-brand-new"),
    path("settings/brand/<uuid:kit_id>", brand.edit, name="settings-brand-edit"),
    path("jobs/<uuid:job_id>/review", review.review, name="review"),
    path("jobs/<uuid:job_id>/masters/<uuid:master_id>/approve", review.approve, name="approve"),
    path("jobs/<uuid:job_id>/deliver", delivery.deliver, name="deliver"),
    path("jobs/<uuid:job_id>/exports/<uuid:export_id>/retry", delivery.retry, name="export-retry"),
    path("jobs/<uuid:job_id>/deliver/request", delivery.request_export, name="export-request"),
]
