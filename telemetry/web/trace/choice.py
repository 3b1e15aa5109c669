"""Which rows of a request a page shows: what its filters leave, without what is folded away, a screenful of a long one."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from telemetry.show.outline import Folding
from telemetry.web.trace.page import Row, TracePage, folding_of

# A row is some sixteen nodes of the document, of which a page may have 6,000
MOST_ROWS = 340

_SHOWS: dict[str, Callable[[Row], bool]] = {
    "errors": lambda row: bool(row.span.error),
    "critical": lambda row: row.is_critical,
    "long": lambda row: row.share >= 0.1,
    "model": lambda row: row.span.kind in {"model", "summary"},
    "tool": lambda row: row.span.kind in {"tool", "subagent"},
}


def chosen(page: TracePage, parameters: Mapping[str, str]) -> list[Row]:
    """The rows to show, from the one that `from` says."""
    begin = first_row(parameters)
    return matching(page, parameters)[begin : begin + MOST_ROWS]


def first_row(parameters: Mapping[str, str]) -> int:
    wanted = parameters.get("from", "")
    return int(wanted) if wanted.isdecimal() and len(wanted) < 7 else 0


def matching(page: TracePage, parameters: Mapping[str, str]) -> list[Row]:
    """The rows that the filters leave: kinds, errors, a share of the whole, words; with none, what is not folded."""
    rows, show, words = page.table, parameters.get("show", ""), parameters.get("find", "").strip().lower()
    if show in _SHOWS:
        rows = [row for row in rows if _SHOWS[show](row)]
    if words:
        rows = [row for row in rows if words in f"{row.span.name} {row.span.preview} {row.span.error}".lower()]
    if "t0" in parameters or "t1" in parameters:
        rows = [row for row in rows if page.axis.shows(row.span)]
    return rows if show in _SHOWS or words else _unfolded(page, rows, folding_of(page.trace, parameters))


def beside(page: TracePage, parameters: Mapping[str, str]) -> tuple[str, str]:
    """Keys of the spans before and after the chosen one, in the order of the shown rows; empty at the ends."""
    keys = [row.span.key for row in matching(page, parameters)]
    if parameters.get("span", "") not in keys:
        return "", keys[0] if keys else ""
    place = keys.index(parameters["span"])
    return keys[place - 1] if place else "", keys[place + 1] if place + 1 < len(keys) else ""


def _unfolded(page: TracePage, rows: list[Row], folding: Folding) -> list[Row]:
    away = folding.hidden(page.trace.spans.values())
    shown: list[Row] = []
    for row in rows:
        if row.span.key not in away:
            shown.append(_with_toggle(row, folding))
            shown += page.inner.get(row.span.key, [])
    return shown


def _with_toggle(row: Row, folding: Folding) -> Row:
    key = row.span.key
    if not (row.span.children or row.span.child):
        return row
    others = [flip for flip in folding.flipped if flip != key]
    toggle = ",".join(others if key in folding.flipped else [*others, key])
    return replace(row, toggle=toggle or "none", is_unfolded=not folding.folds(row.span))
