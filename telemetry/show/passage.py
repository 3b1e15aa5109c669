"""The place of a long text where the words of a search stand, with these words marked."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from agents.memory.terms import terms_of

LENGTH = 200
_BEFORE = 40
_MOST_SPANS = 400
# A word as search knows it, its accents included where they are signs of their own.
_WORD = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")


class Span(NamedTuple):
    start: int
    end: int
    term: str


def passage(text: str, terms: Collection[str], *, length: int = LENGTH) -> SafeString:
    """About `length` characters, escaped; without a match, how the text begins."""
    spans = _spans(text, frozenset(terms))
    start = _start(text, _best(spans, length))
    end = _end(text, start + length)
    inside = [span for span in spans if span.start >= start and span.end <= end]
    marked = "".join(_marked(text, start, end, inside))
    before, after = "…" if start else "", "…" if end < len(text) else ""
    return mark_safe(f"{before}{marked}{after}")  # noqa: S308  escaped part by part


def _spans(text: str, terms: frozenset[str]) -> list[Span]:
    """Where the words stand, as search compares them: without case and accents."""
    found: list[Span] = []
    for word in _candidates(text, terms):
        for term in terms_of(word[0]):
            if term in terms:
                found.append(Span(word.start(), word.end(), term))
                break
        if len(found) == _MOST_SPANS:
            break
    return found


def _candidates(text: str, terms: frozenset[str]) -> Iterator[re.Match[str]]:
    """In plain English text the few words that begin alike, as most texts are long and most words do not match."""
    if not text.isascii() or not terms:
        return _WORD.finditer(text)
    return re.finditer(rf"(?<![^\W_])(?:{'|'.join(sorted(terms))})[^\W_]*", text, re.IGNORECASE)


def _best(spans: Sequence[Span], length: int) -> int:
    """Where the passage begins that holds the most different words, the earliest of them."""
    best, most = 0, 0
    for place, span in enumerate(spans):
        held = {other.term for other in spans[place : place + 40] if other.end <= span.start + length - _BEFORE}
        if len(held) > most:
            best, most = span.start, len(held)
    return max(0, best - _BEFORE)


def _start(text: str, start: int) -> int:
    """After the end of a word, if there is one soon."""
    space = text.find(" ", start, start + _BEFORE) if start else -1
    return space + 1 if space >= 0 else start


def _end(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    space = text.rfind(" ", end - _BEFORE, end)
    return space if space > 0 else end


def _marked(text: str, start: int, end: int, spans: Sequence[Span]) -> Iterator[str]:
    for span in spans:
        yield escape(text[start : span.start])
        yield f"<mark>{escape(text[span.start : span.end])}</mark>"
        start = span.end
    yield escape(text[start:end])
