"""What a person meets outside of any workspace."""

from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from telemetry.web.preferences import THEMES, preferences_of

_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#1d6f61"/>'
    '<path d="M4 11.500v-6l4 3.600 4-3.600v6" fill="none" stroke="#fff" stroke-width="1.500"/></svg>'
)


@require_safe
@login_required
def home(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The overview of the first workspace that this person may enter."""
    assert request.user.is_authenticated  # noqa: S101  what login_required has made sure of
    workspace = request.user.workspaces.order_by("slug").first()
    if workspace is None:
        return render(request, "web/account/no_workspace.html", status=403)
    return redirect("web:overview", workspace.slug)


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keeps the theme and goes back to the page."""
    wanted: Any = request.POST.get("theme", "")
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if is_ours else reverse("home"))
    if wanted in THEMES:
        kept = replace(preferences_of(request), theme=wanted)
        kept.keep(response, is_secure=request.is_secure())
    return response


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_ICON, content_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})
