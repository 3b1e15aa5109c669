"""Every page below `/w/<workspace>/`, as Django's resolver knows them."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

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

    def path(self, examples: Mapping[str, str]) -> str:
        """The address with these arguments; `LookupError` for one without an example."""
        own = {name: examples[f"{self.name}.{name}"] for name in self.arguments if f"{self.name}.{name}" in examples}
        return filled(self.pattern, {**examples, **own})


def filled(pattern: str, examples: Mapping[str, str]) -> str:
    return "/" + ARGUMENT.sub(lambda found: examples[found[1]], pattern)


def pages() -> list[Page]:
    """In the order of the routes."""
    return [_page(pattern, entry) for pattern, entry in _routes(get_resolver(), "") if pattern.startswith(_PREFIX)]


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
