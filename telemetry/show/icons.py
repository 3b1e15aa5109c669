"""The pages' drawings, inline: `static/web/icons/`."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

_ICONS = Path(settings.BASE_DIR) / "static" / "web" / "icons"
_LABELLED = 'role="img" aria-label="{}"'
_DECORATION = mark_safe('aria-hidden="true"')


def icon(name: str, label: str = "") -> SafeString:
    """Without a label it is decoration, hidden from screen readers."""
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" {}>{}</svg>',
        format_html(_LABELLED, label) if label else _DECORATION,
        _drawing(name),
    )


@cache
def plain_icon(name: str) -> SafeString:
    """The decoration, of which long pages have hundreds."""
    return icon(name)


@cache
def _drawing(name: str) -> SafeString:
    return mark_safe((_ICONS / f"{name}.svg").read_text().strip())  # noqa: S308  our own files
