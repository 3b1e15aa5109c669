"""Who may open a page's stream: the same people who may see the page, by the same cookie."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest, QueryDict

from runtime.readers import DATABASE_ERRORS, in_reader
from runtime.sse import NotReady, Scope, http_request
from telemetry.web.preferences import Preferences, preferences_of
from workspaces.authenticate import Principal, authenticate_page
from workspaces.roles import Scope as AccessScope

Opening = TypeVar("Opening")


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody who looks at a page that changes."""

    principal: Principal
    preferences: Preferences
    request: HttpRequest

    @property
    def page(self) -> "Page":
        """The page whose stream this is."""
        parameters = self.request.GET.copy()
        parameters.pop("after", None)
        return Page(self.request.path.removesuffix("stream"), parameters)


@dataclass(frozen=True, slots=True)
class Page:
    """What templates ask of a request when they link to their own page."""

    path: str
    GET: QueryDict


async def opened(scope: Scope, needed: AccessScope, read: Callable[[Viewer], Opening]) -> Opening:
    """Authenticates, then reads what the stream begins with, in one thread; a `MashError` refuses."""
    request = http_request(scope)
    slug = scope["url_route"]["kwargs"]["workspace"]

    def open_it() -> Opening:
        principal = authenticate_page(request, slug)
        principal.require(needed)
        return read(Viewer(principal=principal, preferences=preferences_of(request), request=request))

    try:
        return await in_reader(open_it)
    except DATABASE_ERRORS as error:
        raise NotReady("The database cannot be reached right now; try again.") from error
