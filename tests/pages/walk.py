"""Every page below `/w/<workspace>/`, with arguments out of a workspace that holds a bit of everything."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from runtime.models import AgentRequest
from telemetry.demo.seed import Wish, seed_demo
from telemetry.web.streams import page_streams
from workspaces.models import Workspace
from workspaces.roles import Scope

_PREFIX = "w/<slug:workspace>/"
_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    name: str
    pattern: str
    methods: tuple[str, ...]
    scope: Scope | None
    """None: the view decides by itself."""

    @property
    def arguments(self) -> list[str]:
        return [name for name in _ARGUMENT.findall(self.pattern) if name != "workspace"]

    def path(self, examples: dict[str, str]) -> str:
        """The address with these arguments; `LookupError` for one without an example."""
        return "/" + _ARGUMENT.sub(lambda found: examples[found[1]], self.pattern)


def pages() -> list[Page]:
    found = [_page(pattern, entry) for pattern, entry in _routes(get_resolver(), "") if pattern.startswith(_PREFIX)]
    assert len(found) > 5
    return found


def stream_patterns() -> list[str]:
    return [str(entry.pattern) for entry in page_streams]


def furnish(workspace: Workspace, *, requests: int = 60) -> dict[str, str]:
    """Fills the workspace, and gives an example for every argument that a route may have."""
    seed_demo(workspace, Wish(requests=requests, days=3, seed=1, now=timezone.now(), long_spans=()), progress=_quiet)
    agent_request = _busiest(workspace)
    return {
        "workspace": workspace.slug,
        **{name: example(workspace, agent_request) for name, example in _EXAMPLES.items()},
    }


_EXAMPLES: dict[str, Callable[[Workspace, AgentRequest], str]] = {
    "request_id": lambda _, row: str(row.request_id),
    "agent_id": lambda _, row: row.agent.agent_id,
    "session_id": lambda _, row: row.session_id,
}


def _busiest(workspace: Workspace) -> AgentRequest:
    """One that has handed work on, or else the one with the most events."""
    rows = workspace.agent_requests.filter(status="completed", parent=None).annotate(handed_on=Count("children"))
    return rows.select_related("agent").order_by("-handed_on", "-last_sequence")[0]


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


def _quiet(_: object) -> None:
    pass
