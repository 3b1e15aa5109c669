"""The surface of one agent below `/h2a/{agent_id}/`; its stream is in `mashsite.asgi`."""

from django.urls import path

from runtime.h2a.views import health, submit

app_name = "h2a"
urlpatterns = [
    path("<str:agent_id>/health", health, name="health"),
    path("<str:agent_id>/agent/<str:named>/request", submit, name="submit"),
]
