"""A person on a screen: who it is, in which workspace, and how the answer is put together.

A screen is a plain function that takes a `Visit` and answers. One address is a whole page or, for htmx, the part of it
that is asked for: a named template partial with the id of the element that it goes into.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.gzip import gzip_page

from runtime.api.observability import require_observability
from telemetry.live.badge import open_questions
from telemetry.web.navigation import GROUPS, Group
from telemetry.web.preferences import Preferences, preferences_of
from workspaces.authenticate import Forbidden, Principal, Unauthorized, WorkspaceNotFound, authenticate_page
from workspaces.errors import MashError
from workspaces.models import Workspace
from workspaces.roles import Scope


@dataclass(slots=True, kw_only=True)
class Visit:
    request: HttpRequest
    principal: Principal
    preferences: Preferences
    screen: str
    """Name of the place in the navigation that is lit."""
    clock: "Clock" = field(default_factory=lambda: Clock())

    @property
    def workspace(self) -> Workspace:
        return self.principal.workspace

    @property
    def target(self) -> str:
        """Id of the element that htmx wants to fill; empty when a whole page is asked for."""
        if self.request.headers.get("HX-Request-Type") != "partial":
            return ""
        return self.request.headers.get("HX-Target", "").rpartition("#")[2]

    def may(self, scope: Scope) -> bool:
        return scope in self.principal.scopes

    def link(self, name: str, *arguments: object) -> str:
        """Address of a screen of this workspace."""
        return reverse(f"web:{name}", args=[self.workspace.slug, *arguments])

    def render(
        self, template: str, context: Mapping[str, Any], *, partials: Collection[str] = (), status: int = 200
    ) -> HttpResponse:
        """The page, or the one of its partials that htmx asks for."""
        part = self.target if self.target in partials else ""
        name = f"{template}#{part}" if part else template
        shell: dict[str, Any] = {} if part else {"shell": shell_of(self)}
        began = time.perf_counter()
        text = render_to_string(
            name, {"visit": self, "slug": self.workspace.slug, **shell, **context}, request=self.request
        )
        self.clock.render_s += time.perf_counter() - began
        return HttpResponse(text, status=status)

    def go(self, url: str) -> HttpResponse:
        """After a change: the browser goes there, whether htmx sent it or a plain form."""
        if self.request.headers.get("HX-Request"):
            return HttpResponse(status=200, headers={"HX-Redirect": url})
        return redirect(url, preserve_request=False)


@dataclass(slots=True)
class Clock:
    """Where the time of one answer went, for `Server-Timing`."""

    began: float = field(default_factory=time.perf_counter)
    render_s: float = 0.0
    db_s: float = 0.0
    queries: int = 0

    def watch(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.db_s += time.perf_counter() - began
            self.queries += 1

    def header(self) -> str:
        total = time.perf_counter() - self.began
        parts = {"db": self.db_s, "render": self.render_s, "total": total}
        told = [f"{name};dur={seconds * 1000:.1f}" for name, seconds in parts.items()]
        return ", ".join([*told, f'queries;desc="{self.queries}"'])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What surrounds every screen."""

    groups: list[Group]
    workspaces: list[Workspace]
    open_interactions: int


def shell_of(visit: Visit) -> Shell:
    user = visit.principal.user
    return Shell(
        groups=[
            Group(group.title, tuple(place for place in group.places if visit.may(place.scope))) for group in GROUPS
        ],
        workspaces=list(user.workspaces.order_by("slug")) if user else [],
        open_interactions=open_questions(visit.workspace),
    )


Screen = Callable[..., HttpResponseBase]
_OBSERVING = (Scope.TELEMETRY_READ, Scope.USAGE_READ)
# Pages hold what models have written, so they load nothing that is not ours: no images of other places, not even inline.
_STRICTER = {"img-src": ["'self'"], "base-uri": ["'none'"]}


def screen(name: str, scope: Scope, *, methods: Collection[str] = ("GET",)) -> Callable[[Screen], Screen]:
    """Makes a function of a `Visit` (and the route's arguments) a view of `/w/<workspace>/...`.

    Strangers are sent to the login, who is no member finds nothing (404), and who lacks the scope is told so (403).
    """

    def decorate(view: Screen) -> Screen:
        @gzip_page
        @wraps(view)
        def answer(request: HttpRequest, workspace: str, **arguments: Any) -> HttpResponseBase:
            if request.method not in {*methods, "HEAD"}:
                return HttpResponseNotAllowed(methods)
            try:
                principal = authenticate_page(request, workspace)
            except Unauthorized:
                return _to_login(request)
            except WorkspaceNotFound as error:
                raise Http404 from error
            visit = Visit(request=request, principal=principal, preferences=preferences_of(request), screen=name)
            with connection.execute_wrapper(visit.clock.watch), timezone.override(visit.preferences.zone):
                try:
                    principal.require(scope)
                    if scope in _OBSERVING:
                        require_observability()
                    response = view(visit, **arguments)
                except MashError as error:
                    response = failure(visit, error)
            return _finished(visit, response)

        strict: Screen = csp_replace(_STRICTER)(answer)
        return strict

    return decorate


def failure(visit: Visit, error: MashError) -> HttpResponse:
    """The error as a page or, for htmx, as a small alert in the place that was to be filled."""
    template = "web/error.html#alert" if visit.target else "web/error.html"
    context = {
        "visit": visit,
        "slug": visit.workspace.slug,
        "error": error,
        "lacking": Scope(error.details["scope"]).label if isinstance(error, Forbidden) and error.details else "",
        "shell": None if visit.target else shell_of(visit),
    }
    return HttpResponse(render_to_string(template, context, request=visit.request), status=error.status)


def _finished(visit: Visit, response: HttpResponseBase) -> HttpResponseBase:
    patch_vary_headers(response, ["HX-Request-Type", "HX-Target", "Cookie"])
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = "private, no-store"
    response["Server-Timing"] = visit.clock.header()
    return response


def _to_login(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        # The page that asked, not the part of it.
        back = request.headers.get("HX-Current-URL", "").partition("//")[2].partition("/")[2]
        query = urlencode({"next": f"/{back}"})
        return HttpResponse(status=200, headers={"HX-Redirect": f"{reverse(settings.LOGIN_URL)}?{query}"})
    return redirect_to_login(request.get_full_path(), login_url=reverse(settings.LOGIN_URL))
