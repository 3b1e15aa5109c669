"""What surrounds the rows of the list: quick filters, saved views, columns, and the query that says it all in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from telemetry.query.grammar import write
from telemetry.query.requests import RequestFilter
from telemetry.query.saved_views import KNOWN, Ground, View
from telemetry.query.terms import PARAMETERS
from telemetry.web.requests.columns import COLUMNS, read_columns
from telemetry.web.visit import Visit
from workspaces.roles import Scope

_FILTERS = frozenset({*PARAMETERS, "q"})
_OWN_CONTROLS = ("status", "agent")
_BUILT_IN: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("All", "", {}),
    ("Errors", "", {"status": "failed"}),
    ("Running", "", {"status": "running"}),
    ("Slow", "10 s or longer", {"min_ms": "10000"}),
    ("Expensive", "$0.10 or more", {"min_cost": "0.1"}),
    ("Tool errors", "", {"has": "tool_error"}),
    ("Waiting for a person", "", {"status": "paused", "has": "interaction"}),
)


@dataclass(frozen=True, slots=True)
class Pill:
    label: str
    url: str
    is_current: bool
    title: str = ""


def parameters_of(visit: Visit) -> dict[str, str]:
    """What the address asks for, without the place in the list."""
    return {key: text for key, text in visit.request.GET.dict().items() if key not in {"cursor", "peek"} and text}


def address(visit: Visit, parameters: Mapping[str, str]) -> str:
    told = urlencode({name: text for name, text in parameters.items() if text})
    return f"{visit.link('requests')}?{told}" if told else visit.link("requests")


def pills(visit: Visit, ground: Ground) -> list[Pill]:
    parameters = parameters_of(visit)
    filters = {name: text for name, text in parameters.items() if name in _FILTERS}
    kept = {name: text for name, text in parameters.items() if name not in _FILTERS | {"view"}}
    view = parameters.get("view", "")
    built_in = [
        Pill(label, address(visit, kept | dict(about)), filters == about and not view, title)
        for label, title, about in _BUILT_IN
    ]
    saved = [Pill(each.name, address(visit, {"view": each.slug}), each.slug == view) for each in ground.views]
    return built_in + saved


def chosen_view(parameters: Mapping[str, str], ground: Ground) -> View | None:
    slug = parameters.get("view")
    return next((view for view in ground.views if view.slug == slug), None)


def opens_view(parameters: Mapping[str, str], view: View) -> bool:
    """Whether the address names the view and nothing else, so that it stands for what the view holds."""
    return bool(view.filters) and not KNOWN & set(parameters)


def around(visit: Visit, which: RequestFilter, ground: Ground) -> dict[str, Any]:
    parameters = parameters_of(visit)
    view = chosen_view(parameters, ground)
    return {
        "pills": pills(visit, ground),
        "view": view,
        "warnings": _warnings(parameters, view),
        "query_text": _query_text(parameters),
        "filter_query": urlencode({name: text for name, text in parameters.items() if name in KNOWN}),
        "has_filters": bool(which.expression.parts) or which.span.preset != "24h",
        "status": "failed" if parameters.get("status") == "error" else parameters.get("status", ""),
    }


def row_context(visit_parameters: Mapping[str, str], *, may_run: bool) -> dict[str, Any]:
    """What a row of the list must know, on the page and in its stream."""
    chosen, _ = read_columns(visit_parameters)
    return {"cols": chosen, "may_run": may_run}


def may_run(visit: Visit) -> bool:
    return visit.may(Scope.AGENTS_RUN)


def shown_columns(chosen: frozenset[str]) -> list[Any]:
    return [column for column in COLUMNS if column.name in chosen]


def _warnings(parameters: Mapping[str, str], view: View | None) -> list[str]:
    warnings = []
    if parameters.get("view") and view is None:
        warnings.append(f"There is no view {parameters['view'][:60]}.")
    if view and view.unknown:
        warnings.append(f"The view has parameters that are unknown here: {', '.join(view.unknown)[:200]}.")
    _, unknown = read_columns(parameters)
    if unknown:
        warnings.append(f"There are no such columns: {', '.join(unknown)[:200]}.")
    return warnings


def _query_text(parameters: Mapping[str, str]) -> str:
    """The whole filter in the words of the grammar, but for what has a control of its own."""
    others = {name: text for name, text in parameters.items() if name in PARAMETERS and name not in _OWN_CONTROLS}
    return " ".join(part for part in (parameters.get("q", ""), write(others)) if part)
