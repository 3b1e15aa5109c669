"""Two requests side by side: their steps aligned, and what differs in texts and settings, line by line."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import zip_longest
from typing import Any, Literal

from telemetry.show.spans import Span

_MOST_LINES = 400
_MOST_TEXT = 64 * 1024
_LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Pair:
    """The same step of both; None where one has no such step."""

    left: Span | None
    right: Span | None

    @property
    def is_same(self) -> bool:
        """Whether both did the same, however long it took."""
        return self.left is not None and self.right is not None and _what(self.left) == _what(self.right)


@dataclass(frozen=True, slots=True)
class Line:
    sign: Literal["added", "removed", "same", "place"]
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    name: str
    lines: list[Line]


def align(left: Iterable[Span], right: Iterable[Span]) -> list[Pair]:
    """By what the steps are, in order; where they differ, side by side as far as both go."""
    one, other = _steps(left), _steps(right)
    matcher = SequenceMatcher(None, [_name(span) for span in one], [_name(span) for span in other], autojunk=False)
    pairs: list[Pair] = []
    for _, begin, end, other_begin, other_end in matcher.get_opcodes():
        pairs += [Pair(*both) for both in zip_longest(one[begin:end], other[other_begin:other_end])]
    return pairs


def text_difference(before: str, after: str) -> list[Line]:
    """Changed lines with two lines around each; empty when nothing differs."""
    told = unified_diff(before[:_MOST_TEXT].splitlines(), after[:_MOST_TEXT].splitlines(), n=2, lineterm="")
    lines = [_line(line) for number, line in enumerate(told) if number >= 2]
    return lines[:_MOST_LINES]


def setting_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Of two definitions of an agent, each setting that is not the same."""
    names = sorted({*before, *after})
    return [
        Difference(name.replace("_", " "), text_difference(_text(before.get(name)), _text(after.get(name))))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _steps(spans: Iterable[Span]) -> Sequence[Span]:
    return [span for span in spans if span.kind not in {"request", "queue"}]


def _name(span: Span) -> tuple[str, str]:
    return span.kind, span.name


def _what(span: Span) -> tuple[str, str, str, bool]:
    return span.kind, span.name, span.preview, bool(span.error)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)


def _line(line: str) -> Line:
    text = line[1 : _LONGEST_LINE + 1]
    match line[:1]:
        case "+":
            return Line("added", text)
        case "-":
            return Line("removed", text)
        case "@":
            return Line("place", line)
    return Line("same", text)
