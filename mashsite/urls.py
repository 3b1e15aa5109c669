"""Every route that Django answers."""

from django.contrib import admin
from django.urls import include, path

from mashsite.health import healthz, readyz
from mashsite.openapi import docs, openapi_document
from mashsite.pages import service_info
from telemetry.web.account.sign_in import admin_sign_in
from workflows.hooks.receive import HookView

urlpatterns = [
    path("", service_info, name="service-info"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("openapi.json", openapi_document, name="openapi"),
    path("docs", docs, name="docs"),
    path("api/v1/", include("runtime.api.urls")),
    path("api/v1/", include("workflows.api.urls")),
    path("api/v1/telemetry/", include("telemetry.api.urls")),
    path("hooks/<str:signed>", HookView.as_view(), name="inbound-hook"),
    path("h2a/", include("runtime.h2a.urls")),
    path("admin/login/", admin_sign_in),
    path("admin/", admin.site.urls),
    path("", include("telemetry.web.account.urls")),
    path("", include("telemetry.web.urls")),
]
handler400 = "mashsite.pages.bad_request"
handler403 = "mashsite.pages.forbidden"
handler404 = "mashsite.pages.not_found"
handler500 = "mashsite.pages.server_error"
