"""The routes of H2A below `/h2a/`; the stream beside them is in `mashsite.asgi`."""

from django.urls import path

from runtime.h2a.views import HealthView, NoRouteView, SubmitView

app_name = "h2a"
urlpatterns = [
    path("<str:served_id>/health", HealthView.as_view(), name="health"),
    path("<str:served_id>/agent/<str:agent_id>/request", SubmitView.as_view(), name="submit"),
    path("<path:rest>", NoRouteView.as_view(), name="no-route"),
]
