"""Probes for load balancers and containers; they need no token and tell nothing but yes or no."""

from collections.abc import Callable

from django.db import Error, connections
from django.http import HttpRequest, HttpResponse, JsonResponse

from workspaces import databases

_is_migrated = False


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """The database answers and has every migration."""
    try:
        ready = _database_is_ready()
    except Error:
        ready = False
    return JsonResponse({"status": "ready" if ready else "not ready"}, status=200 if ready else 503)


class ProbeMiddleware:
    """Answers probes ahead of the check of the host name: a load balancer asks by address, not by the site's name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = {"/healthz": healthz, "/readyz": readyz}.get(request.path)
        return probe(request) if probe else self.get_response(request)


def _database_is_ready() -> bool:
    global _is_migrated
    for connection in connections.all():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    if not _is_migrated:
        _is_migrated = not databases.count_missing_migrations()
    return _is_migrated
