"""Every page below `/w/<workspace>/`, and arguments for it out of a workspace that holds a bit of everything. Needs Django."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import URLPattern, URLResolver, get_resolver

from runtime.models import AgentRequest
from workspaces.models import Workspace
from workspaces.roles import Scope

_PREFIX = "w/<slug:workspace>/"
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    name: str
    pattern: str
    methods: tuple[str, ...]
    scope: Scope | None
    """None: the view decides by itself."""

    @property
    def arguments(self) -> list[str]:
        return [name for name in ARGUMENT.findall(self.pattern) if name != "workspace"]

    def path(self, examples: dict[str, str]) -> str:
        """The address with these arguments; `LookupError` for one without an example."""
        return filled(self.pattern, examples)


def filled(pattern: str, examples: dict[str, str]) -> str:
    return "/" + ARGUMENT.sub(lambda found: examples[found[1]], pattern)


def pages() -> list[Page]:
    """In the order of the routes."""
    return [_page(pattern, entry) for pattern, entry in _routes(get_resolver(), "") if pattern.startswith(_PREFIX)]


def examples_in(workspace: Workspace) -> dict[str, str]:
    """A value for every argument that a route may have; together they name one conversation."""
    agent_request = _telling_request(workspace)
    return {"workspace": workspace.slug, **{name: value(agent_request) for name, value in _EXAMPLES.items()}}


_EXAMPLES: dict[str, Callable[[AgentRequest], str]] = {
    "request_id": lambda row: str(row.request_id),
    "agent_id": lambda row: row.agent.agent_id,
    "session_id": lambda row: row.session_id,
}


def _telling_request(workspace: Workspace) -> AgentRequest:
    """The newest that has handed work on, or else the newest with a long log."""
    rows = workspace.agent_requests.filter(status="completed", parent=None, kind="turn").select_related("agent")
    newest = rows.filter(last_sequence__lt=200).order_by("-pk")[:500]
    handed_on = workspace.agent_requests.filter(parent__in=newest.values("pk")).values("parent").annotate(Count("pk"))
    for entry in handed_on.order_by("-parent")[:1]:
        return rows.get(pk=int(entry["parent"] or 0))
    return max(newest, key=lambda row: row.last_sequence)


def _routes(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _routes(entry, pattern)
        else:
            yield pattern, entry


def _page(pattern: str, entry: URLPattern) -> Page:
    told = _told_to_screen(entry.callback)
    return Page(
        name=entry.name or pattern,
        pattern=pattern,
        methods=tuple(told.get("methods", ("GET",))),
        scope=told.get("scope"),
    )


def _told_to_screen(view: Callable[..., Any]) -> dict[str, Any]:
    """What `@screen` was given, wherever it lies below other decorators."""
    function: Any = view
    while function is not None:
        known = inspect.getclosurevars(function).nonlocals
        if {"scope", "methods"} <= known.keys():
            return dict(known)
        function = getattr(function, "__wrapped__", None)
    return {}
