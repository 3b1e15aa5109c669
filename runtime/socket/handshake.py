"""Who opens a socket: the same door as for requests, and for browsers an allowed origin."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import validate_host

from runtime.sse import Scope, http_request
from workspaces.authenticate import Forbidden, Principal, authenticate


def principal_of_handshake(scope: Scope) -> Principal:
    """The caller; raises `Unauthorized` and its kin.

    A browser sends its cookies to any site's sockets, so a cookie counts only with an origin that is ours. It names its
    workspace in the query, as it can set no header.
    """
    request = http_request({**scope, "type": "http", "method": "GET"})
    request.META.setdefault("HTTP_MASH_WORKSPACE", request.GET.get("workspace", ""))
    origin = request.headers.get("Origin")
    if origin is not None and not _is_ours(origin):
        raise Forbidden("Sockets are not open to pages of this origin.")
    if origin is None and not _has_header_token(request):
        raise Forbidden("A cookie needs an Origin; programs send `Authorization: Bearer <token>`.")
    return authenticate(request)


def _has_header_token(request: HttpRequest) -> bool:
    return bool(request.headers.get("Authorization") or request.headers.get("X-API-Key"))


def _is_ours(origin: str) -> bool:
    url = urlsplit(origin)
    if origin.rstrip("/") in settings.CSRF_TRUSTED_ORIGINS:
        return True
    hosts = settings.ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]
    return url.scheme in {"http", "https"} and bool(url.hostname) and validate_host(str(url.hostname), hosts)
