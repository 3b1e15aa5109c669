"""Every route that Django answers."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from mashsite.health import healthz, readyz
from mashsite.pages import service_info

urlpatterns = [
    path("", service_info, name="service-info"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="docs"),
    path("api/v1/", include("runtime.api.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "mashsite.pages.bad_request"
handler403 = "mashsite.pages.forbidden"
handler404 = "mashsite.pages.not_found"
handler500 = "mashsite.pages.server_error"
