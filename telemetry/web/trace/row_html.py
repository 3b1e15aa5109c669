"""A span's row as HTML. A page has hundreds of them, and a template takes ten times as long for each."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import quote_plus

from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from telemetry.live.door import Page
from telemetry.show.figures import count, duration, money
from telemetry.show.icons import icon, plain_icon
from telemetry.web.trace.page import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWriter:
    """What all rows of one page share, worked out once."""

    slug: str
    is_tree: bool
    selected: str
    """Key of the span that is looked at."""
    span_link: str
    flip_link: str
    """This page's address with other parameters, up to the value of the last one."""
    failed: str

    def html(self, rows: Iterable[Row]) -> SafeString:
        return mark_safe("".join(map(self._row, rows)))  # noqa: S308  every part that is somebody's is escaped

    def _row(self, row: Row) -> str:
        span = row.span
        chosen = ' aria-selected="true"' if span.key == self.selected else ""
        return (
            f'<tr id="{row.dom_id}" class="kind-{span.kind}{" critical" if row.is_critical else ""}"'
            f' data-row="{"error" if span.error else ""}"{chosen}>'
            f'<td class="name depth-{span.depth}">{self._name(row)}</td>{_figures(row)}'
            f"{_words(row) if self.is_tree else _lane(row)}</tr>\n"
        )

    def _name(self, row: Row) -> str:
        span = row.span
        note = f' <span class="quiet">{escape(span.note)}</span>' if span.note else ""
        failed = f' <span class="bad">{self.failed}</span>' if span.error else ""
        return (
            f'{self._fold(row)}<span class="kind" aria-hidden="true"></span> <a class="cut" {self._address(row)}>'
            f'<span class="visually-hidden">Level {span.depth + 1},</span> {escape(span.name)}{note}</a>'
            f"{failed}{_tools(row)}{self._child(row)}"
        )

    def _address(self, row: Row) -> str:
        if row.of:
            return f'href="{self._place(row.of)}?span={row.span.key}" hx-boost="false"'
        return f'href="{self.span_link}{row.span.key}"'

    def _fold(self, row: Row) -> str:
        if not row.toggle:
            return ""
        is_open, verb, drawing = ("true", "Fold", "down") if row.is_unfolded else ("false", "Unfold", "right")
        return (
            f'<a class="fold" href="{self.flip_link}{quote_plus(row.toggle)}" aria-expanded="{is_open}"'
            f' aria-label="{verb} {escape(row.span.name)}">{plain_icon(drawing)}</a> '
        )

    def _child(self, row: Row) -> str:
        child = row.span.child
        return f' <a class="small" href="{self._place(child)}" hx-boost="false">open</a>' if child else ""

    def _place(self, request_id: str) -> str:
        return reverse("web:request", args=[self.slug, request_id])


def row_writer(page: HttpRequest | Page, *, slug: str, view: str) -> RowWriter:
    return RowWriter(
        slug=slug,
        is_tree=view == "tree",
        selected=page.GET.get("span", ""),
        span_link=_link(page, without={"span", "tab"}, last="span"),
        flip_link=_link(page, without={"flip"}, last="flip"),
        failed=icon("error", "failed"),
    )


def _link(page: HttpRequest | Page, *, without: set[str], last: str) -> str:
    """As `{% query %}` would have it."""
    parameters = page.GET.copy()
    for name in {"cursor", "peek", *without}:
        parameters.pop(name, None)
    parameters[last] = ""
    return escape(f"{page.path}?{parameters.urlencode()}")


def _tools(row: Row) -> str:
    """How many are folded away."""
    children = row.span.children
    return f' <span class="count" title="Tools it called">{children}</span>' if children and not row.is_unfolded else ""


def _figures(row: Row) -> str:
    span, seconds = row.span, duration(row.seconds)
    took = seconds if span.ended else f'<span class="status running" data-elapsed="{row.seconds:.1f}">{seconds}</span>'
    tokens = f"{count(span.input_tokens)} → {count(span.output_tokens)}" if span.input_tokens is not None else ""
    cost = money(span.cost_usd) if span.cost_usd is not None else ""
    return f'<td class="number">{took}</td><td class="number">{tokens}</td><td class="number">{cost}</td>'


def _words(row: Row) -> str:
    span = row.span
    colour = "bad" if span.error else "quiet"
    return f'<td class="wide"><span class="cut {colour}" dir="auto">{escape(span.error or span.preview)}</span></td>'


def _lane(row: Row) -> str:
    bar = row.bar
    look = f"{'failed' if row.span.error else ''}{' open' if bar.is_open else ''}"
    return (
        f'<td class="lane"><svg class="bar" aria-hidden="true"><rect x="{bar.x}%" width="{bar.width}%" y="25%"'
        f' height="50%" rx="2" class="{look}" /></svg></td>'
    )
