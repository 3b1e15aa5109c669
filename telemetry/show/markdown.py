"""What models write, made safe to show: CommonMark without HTML, images or scriptable links (promise: output is hostile)."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MAX_CHARACTERS = 64 * 1024
_HIGHLIGHTED_CHARACTERS = 20_000
_TAGS = {
    "a",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
_ATTRIBUTES = {"a": {"href", "title"}, "code": {"class"}, "div": {"class"}, "span": {"class"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_formatter = HtmlFormatter(nowrap=True)


def _code(text: str, language: str, _: str) -> str:
    """The inside of a fenced block, coloured by class names where the language is known."""
    if not language or len(text) > _HIGHLIGHTED_CHARACTERS:
        return escapeHtml(text)
    try:
        return str(highlight(text, get_lexer_by_name(language), _formatter))
    except ClassNotFound:
        return escapeHtml(text)


_parser = (
    MarkdownIt("commonmark", {"html": False, "highlight": _code}).enable(["table", "strikethrough"]).disable("image")
)


def markdown(text: str) -> SafeString:
    """Headings begin at the third level, below those of the page. What is too long to be worth it is shown plain."""
    if len(text) > MAX_CHARACTERS:
        return mark_safe(f"<pre>{escapeHtml(text)}</pre>")  # noqa: S308  escaped
    clean = nh3.clean(
        _parser.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(_lowered(clean))  # noqa: S308  cleaned by an allow list


def _lowered(html: str) -> str:
    for level, shown in ((4, 6), (3, 5), (2, 4), (1, 3)):
        html = html.replace(f"<h{level}>", f"<h{shown}>").replace(f"</h{level}>", f"</h{shown}>")
    return html
