"""How the pages show values, link to themselves and draw their icons."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from telemetry.show import figures, icons, payload
from telemetry.show import markdown as markdown_of
from telemetry.web import assets

if TYPE_CHECKING:
    from telemetry.web.trace.page import Row

register = template.Library()
_MOST_SHOWN = 64 * 1024

register.filter("duration", figures.duration)
register.filter("milliseconds", figures.milliseconds)
register.filter("duration_share", figures.duration_share)
register.filter("count", figures.count)
register.filter("money", figures.money)
register.filter("exact_money", figures.exact_money)
register.filter("size", figures.size)
register.filter("markdown", markdown_of.markdown)


@register.filter
def percent_of(part: float, whole: float) -> str:
    return figures.percent(part, whole)


@register.filter
def moment(at: datetime | None) -> str | SafeString:
    """The time in the reader's zone; a script of the page may turn it into "3 min ago"."""
    if at is None:
        return figures.NOTHING
    local, now = timezone.localtime(at), timezone.localtime()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(timespec="milliseconds"),
        f"{local:%Y-%m-%d %H:%M:%S.}{local.microsecond // 1000:03d} {local:%Z}",
        figures.clock(local, now),
    )


@register.filter
def cut(text: str | None, length: int = 200) -> str:
    """On one line, cut here and not by the browser: what is not shown is not sent."""
    line = " ".join((text or "")[: length * 4].split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


@register.filter
def middle(text: str, length: int = 24) -> str:
    """A long id by how it begins and ends, which is where ids differ."""
    if len(text) <= length:
        return text
    end = (length - 1) // 2
    return f"{text[: length - 1 - end]}…{text[-end:]}"


@register.filter
def json_tree(value: Any) -> SafeString:
    return mark_safe(payload.html(payload.tree(value)))  # noqa: S308  escaped part by part


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """This page's address with other parameters; an empty value takes one away. A change begins at the first page."""
    request: HttpRequest = context["request"]
    parameters = request.GET.copy()
    for name in ("cursor", "peek", *changes):
        parameters.pop(name, None)
    for name, value in changes.items():
        if value not in (None, ""):
            parameters[name] = str(value)
    text = parameters.urlencode()
    return f"{request.path}?{text}" if text else request.path


@register.simple_tag(takes_context=True)
def place(context: dict[str, Any], name: str, *arguments: Any) -> str:
    """Address of a screen of this workspace: `{% place "request" row.request_id %}`."""
    return reverse(f"web:{name}", args=[context["slug"], *arguments])


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A drawing of `static/web/icons/`; without a label it is decoration, hidden from screen readers."""
    return icons.icon(name, label) if label else icons.plain_icon(name)


@register.simple_tag
def bundle(kind: str) -> str:
    """Address of the pages' style sheet (`css`) or script (`js`)."""
    return assets.bundle(kind).url


@register.filter
def share(part: Decimal | float | int | None, whole: Decimal | float | int | None) -> str:
    """Of the whole, in percent with two places, for lengths in drawings."""
    return f"{min(100.0, 100 * float(part or 0) / float(whole)):.2f}" if whole else "0"


_STATUS_ICONS = {
    "accepted": "waiting",
    "waiting": "waiting",
    "running": "running",
    "paused": "paused",
    "completed": "check",
    "failed": "error",
    "cancelled": "stopped",
    "stalled": "stalled",
    "stopping": "stopped",
}


@register.filter
def status_icon(status: str) -> str:
    return _STATUS_ICONS[status]


@register.filter
def split(text: str) -> list[str]:
    return text.split()


@register.filter
def pairs(text: str) -> list[list[str]]:
    """`a=First b=The_second` as pairs for a loop; an underscore stands for a space."""
    return [part.replace("_", " ").split("=", 1) for part in text.split()]


@register.filter
def signed(difference: float, figure: Literal["duration", "count", "money"]) -> str:
    """How much more, or less, as that figure."""
    text: str = getattr(figures, figure)(abs(difference))
    sign = "+" if difference > 0 else "\u2212" if difference < 0 else "±"
    return f"{sign}{text}"


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key)


@register.filter
def folds_next(rows: Collection["Row"]) -> str:
    """The `fold` that changes what is shown of these rows: `none` while some are folded; empty where nothing can be."""
    states = [row.is_unfolded for row in rows if row.toggle]
    return ("all" if all(states) else "none") if states else ""


@register.filter
def content(text: str) -> SafeString:
    """What a tool answered: JSON as a tree, anything else as it is; cut where it is too long to be read here."""
    if text[:1] in {"{", "["} and len(text) <= _MOST_SHOWN:
        try:
            return format_html('<div class="json">{}</div>', json_tree(json.loads(text)))
        except (ValueError, RecursionError):
            pass
    left = len(text) - _MOST_SHOWN
    note = format_html('<p class="quiet">{} more characters are in the raw event.</p>', f"{left:,}") if left > 0 else ""
    return format_html('<pre class="snippet" dir="auto">{}</pre>{}', text[:_MOST_SHOWN], note)


@register.filter
def prompt(blocks: str | list[dict[str, Any]]) -> SafeString:
    """An agent's system prompt, which may come in blocks."""
    told = blocks if isinstance(blocks, str) else "\n\n".join(str(block.get("text", "")) for block in blocks)
    return content(told)


@register.simple_tag(takes_context=True)
def stream_query(context: dict[str, Any], **more: Any) -> str:
    """The page's own filters for its stream, and what else the stream is to know."""
    parameters = context["request"].GET.copy()
    for name in ("cursor", "peek", "live"):
        parameters.pop(name, None)
    parameters.update({name: str(value) for name, value in more.items()})
    return str(parameters.urlencode())


@register.simple_tag(takes_context=True)
def filtering(context: Mapping[str, Any]) -> SafeString:
    """What lets a form of filters change the results below it: each change is an address that Back leads to."""
    return format_html(
        'method="get" hx-get="{}" hx-trigger="change, submit" hx-target="#results" hx-swap="outerHTML"'
        ' hx-push-url="true" hx-sync="this:replace"',
        context["request"].path,
    )
