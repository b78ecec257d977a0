"""Every address of the installation; each app brings its own module."""

from django.urls import include, path
from django.urls.resolvers import URLPattern, URLResolver

from genengine.assets.streaming import serve_media
from genengine.core.health import healthz, readyz
from genengine.workspaces.admin_site import operator_admin, workspace_admin
from jobs.execution.webhooks import ProviderWebhook

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("media/<str:token>", serve_media, name="media"),
    path("api/v1/", include("genengine.api")),
    path("hooks/<slug:provider>/<slug:slug>/", ProviderWebhook.as_view(), name="provider-webhook"),
    path("hooks/<slug:provider>/<slug:slug>/<slug:key>/", ProviderWebhook.as_view(), name="provider-webhook-of"),
    path("admin/", workspace_admin.urls),
    path("operator/", operator_admin.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("genengine.workspaces.urls")),
    path("w/<slug:slug>/", include("campaigns.urls")),
    path("w/<slug:slug>/", include("jobs.urls")),
    path("w/<slug:slug>/", include("billing.urls")),
    path("w/<slug:slug>/", include("providers.urls")),
]
