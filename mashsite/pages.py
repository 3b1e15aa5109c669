"""The front door, and what answers when nothing else does: the envelope for the API, a plain page for people."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.cache import patch_vary_headers
from django.views import defaults

from workspaces.api.envelope import error_body


def service_info(request: HttpRequest) -> HttpResponse:
    """Says to programs what this is (contract 2.2), without token and envelope; people go to the pages."""
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        response: HttpResponse = redirect("home")
        patch_vary_headers(response, ["Accept"])
        return response
    api = {"version": "v1", "base": "/api/v1", "openapi": "/openapi.json", "docs": "/docs"}
    return JsonResponse({"service": "mash-api", "api": api}, headers={"Vary": "Accept"})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(error_body("BAD_REQUEST", "The request cannot be understood."), status=400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(error_body("FORBIDDEN", "This is not allowed."), status=403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(error_body("NOT_FOUND", f"There is no route {request.path}."), status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse(error_body("INTERNAL_ERROR", "Something went wrong on our side."), status=500)
    return defaults.server_error(request)


def _wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/") or "text/html" not in request.headers.get("Accept", "")
