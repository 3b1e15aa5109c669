"""What models and tools say is shown, and can do nothing (web-ui R11)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.show.markdown import markdown
from telemetry.templatetags.web import json_tree

_HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![track](https://evil.example/pixel.png)",
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "<a href='https://evil.example' style='position:fixed;inset:0'>all</a>",
    "```html\n<script>alert(1)</script>\n```",
    "<iframe src='https://evil.example'></iframe><svg onload=alert(1)>",
    "[x]: https://evil.example\n![][x]",
]
_HARMLESS = re.compile(
    r"</?(a|blockquote|br|code|del|details|em|h[3-6]|hr|li|ol|p|pre|s|span|strong|summary|table|tbody|td|th|thead|tr|ul)"
    r'( (href="(https?:|mailto:)[^"]*"|title="[^"]*"|class="[\w -]+"|rel="[a-z ]+"|start="\d+"|dir="auto"|open))* ?/?>'
)


def dangers(html: str) -> list[str]:
    """Every tag that a page of ours would not write."""
    return [tag for tag in re.findall("<[^>]*>", html) if not _HARMLESS.fullmatch(tag)]


@pytest.mark.parametrize("text", _HOSTILE)
def test_markdown_keeps_the_words_and_drops_the_danger(text: str) -> None:
    assert dangers(markdown(text)) == []


@given(st.text(alphabet="<>[]()!`*_#\n \"'=:/&;javscriptmgonerl", max_size=200))
def test_no_text_becomes_dangerous(text: str) -> None:
    assert dangers(markdown(text)) == []
    assert dangers(json_tree({text: [text]})) == []


def test_links_open_nothing_of_ours() -> None:
    assert 'rel="noopener noreferrer nofollow"' in markdown("[docs](https://example.com/)")


def test_markdown_reads_as_it_was_meant() -> None:
    html = markdown("# Title\n\n- one\n- **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nreturn 1\n```")
    for piece in ("<h3>Title</h3>", "<strong>two</strong>", "<td>1</td>", '<span class="k">return</span>'):
        assert piece in html


def test_a_tree_is_bounded_and_says_so() -> None:
    wide = json_tree({str(number): number for number in range(1000)})
    assert wide.count("<li>") == 201
    assert "800 more" in wide
    deep: object = "end"
    for _ in range(100):
        deep = [deep]
    assert "too deep" in json_tree(deep)
    assert "image/png" in json_tree({"data": "data:image/png;base64," + "A" * 4000})
    assert "A" * 100 not in json_tree({"data": "A" * 4000})
