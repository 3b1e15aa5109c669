"""The grammar of `q`: `agent:primary status:(failed OR cancelled) -tool:search latency:>2s "free text"`.

Any text either becomes an expression or is told what is wrong with it, and where; what is wrong is never dropped in silence.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from luqum.exceptions import ParseError
from luqum.thread import parse as parse_lucene
from luqum.tree import (
    AndOperation,
    BaseGroup,
    BaseOperation,
    From,
    Item,
    Not,
    OrOperation,
    Phrase,
    Plus,
    Prohibit,
    SearchField,
    To,
    UnknownOperation,
    Word,
)
from typing_extensions import override

from telemetry.query.terms import TEXT, BadTerm, Term, read_parameter, read_term

LONGEST = 500
_DEEPEST = 12
_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
_RESERVED = {"AND", "OR", "NOT", "TO"}


@dataclass(frozen=True, slots=True)
class Negated:
    part: "Expression"


@dataclass(frozen=True, slots=True)
class Group:
    """All of the parts, or any of them. No parts: everything."""

    parts: tuple["Expression", ...] = ()
    is_any: bool = False


Expression = Term | Negated | Group


@dataclass(frozen=True, slots=True)
class Fault:
    message: str
    position: int | None = None
    """Of the character in `q`, from 0; None for a parameter of its own, or the whole text."""

    @override
    def __str__(self) -> str:
        return self.message if self.position is None else f"{self.message} (at character {self.position + 1})"


@dataclass(frozen=True, slots=True)
class Parsed:
    expression: Group
    faults: tuple[Fault, ...] = ()


def parse(text: str) -> Parsed:
    """What the text asks for. Parts that make no sense are left out of it, each with a fault that says so."""
    if not text.strip():
        return Parsed(Group())
    if len(text) > LONGEST:
        return Parsed(Group(), (Fault(f"A query has at most {LONGEST} characters; this one has {len(text)}."),))
    try:
        tree = parse_lucene(text)
    except (ParseError, ArithmeticError, ValueError) as error:
        return Parsed(Group(), (_syntax_fault(str(error), text),))
    reader = _Reader()
    found = reader.read(tree, "", 0)
    return Parsed(together([found] if found else []), tuple(reader.faults))


def together(parts: Iterable[Expression]) -> Group:
    """All of these, with what is already such a list taken apart."""
    flat: list[Expression] = []
    for part in parts:
        flat += part.parts if isinstance(part, Group) and not part.is_any else [part]
    return Group(tuple(flat))


def write(parameters: Mapping[str, str]) -> str:
    """Parameters that stand for a term each, as a query that means the same; those that make no sense stay as they are."""
    return " ".join(f"{_written(*_meaning(name, text))}" for name, text in parameters.items() if text)


def _meaning(name: str, text: str) -> tuple[str, str, str]:
    try:
        term = read_parameter(name, text)
    except BadTerm:
        return name, "", text
    unit = "ms" if term.key == "latency" else ""
    value = f"{term.value:f}{unit}" if isinstance(term.value, Decimal) else term.value
    return term.key, "" if term.operator == "=" else term.operator, value


def _written(key: str, operator: str, value: str) -> str:
    is_bare = _BARE.fullmatch(value) and value not in _RESERVED
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f"{key}:{operator}{value}" if is_bare else f'{key}:{operator}"{quoted}"'


def _syntax_fault(told: str, text: str) -> Fault:
    found = re.search(r"at position (\d+)!?\Z", told)
    if not found:
        at_end = "at the end" in told
        message = "The query ends too early; something is open." if at_end else "The query cannot be read."
        return Fault(message, len(text) if at_end else None)
    position = int(found[1])
    return Fault(f"This cannot be read: {text[position : position + 20]}", position)


class _Reader:
    """Walks the library's tree; keeps what is wrong in it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def read(self, node: Item, key: str, depth: int) -> Expression | None:
        """None where nothing of the node makes sense. `key` is the field that the node stands in."""
        if depth > _DEEPEST:
            return self._fault("Parentheses are nested too deeply.", node)
        if isinstance(node, BaseOperation):
            return self._operation(node, key, depth)
        if isinstance(node, BaseGroup | Plus):
            return self.read(node.children[0], key, depth + 1)
        if isinstance(node, Not | Prohibit):
            part = self.read(node.children[0], key, depth + 1)
            return Negated(part) if part else None
        if isinstance(node, SearchField):
            if key:
                return self._fault(f"{key} and {node.name} in one; put a value with a colon in quotes.", node)
            return self.read(node.expr, node.name, depth + 1)
        return self._term(node, key)

    def _operation(self, node: BaseOperation, key: str, depth: int) -> Expression | None:
        if not isinstance(node, AndOperation | OrOperation | UnknownOperation):
            return self._fault("This way of joining is unknown.", node)
        parts = [part for child in node.children if (part := self.read(child, key, depth + 1))]
        if not parts:
            return None
        if isinstance(node, OrOperation):
            return Group(tuple(parts), is_any=True)
        return together(parts)

    def _term(self, node: Item, key: str) -> Expression | None:
        operator = "="
        if isinstance(node, From | To):
            operator = (">" if isinstance(node, From) else "<") + ("=" if node.include else "")
            if not key:
                return self._fault("A comparison needs a key before it, as in latency:>2s.", node)
            node = node.children[0]
        if not isinstance(node, Word | Phrase):
            return self._fault("Patterns, ranges and weights are unknown here; put the text in quotes.", node)
        value = _plain_text(node)
        if key and isinstance(node, Word) and node.has_wildcard():
            return self._fault(f"{key}: wildcards are unknown here; put the value in quotes if it has one.", node)
        try:
            return read_term(key or TEXT, operator, value)
        except BadTerm as error:
            return self._fault(str(error), node)

    def _fault(self, message: str, node: Item) -> Expression | None:
        """Keeps what is wrong; there is no expression for it."""
        self.faults.append(Fault(message, node.pos))
        return None


def _plain_text(node: Word | Phrase) -> str:
    inside = node.value[1:-1] if isinstance(node, Phrase) else node.value
    return re.sub(r"\\(.)", r"\1", inside, flags=re.DOTALL)
