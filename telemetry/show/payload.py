"""Any JSON value as nested, foldable parts: bounded in depth, width and length, with what is left out said."""

from dataclasses import dataclass, field
from html import escape
from typing import Any

MAX_DEPTH = 12
OPEN_DEPTH = 2
MAX_CHILDREN = 200
MAX_STRING = 2_000
_BASE64_AT_LEAST = 400
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n-_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value of the tree; `kind` is also its class in the page."""

    name: str
    kind: str
    text: str = ""
    note: str = ""
    """What the text does not show."""
    children: tuple["Node", ...] = field(default=())
    is_open: bool = False


def tree(value: Any, *, name: str = "", depth: int = 0) -> Node:
    if isinstance(value, dict):
        pairs: list[tuple[str, Any]] = [(str(key), item) for key, item in value.items()]
        return _branch("object", name, pairs, depth)
    if isinstance(value, list):
        return _branch("array", name, [(str(place), item) for place, item in enumerate(value)], depth)
    return _leaf(name, value)


def _branch(kind: str, name: str, pairs: list[tuple[str, Any]], depth: int) -> Node:
    word = "key" if kind == "object" else "item"
    note = f"{len(pairs)} {word}{'' if len(pairs) == 1 else 's'}"
    if depth >= MAX_DEPTH:
        return Node(name=name, kind=kind, note=f"{note}, too deep to show: see the raw text")
    children = [tree(item, name=key, depth=depth + 1) for key, item in pairs[:MAX_CHILDREN]]
    if len(pairs) > MAX_CHILDREN:
        children.append(Node(name="", kind="more", note=f"{len(pairs) - MAX_CHILDREN} more: see the raw text"))
    return Node(name=name, kind=kind, note=note, children=tuple(children), is_open=depth < OPEN_DEPTH)


def _leaf(name: str, value: Any) -> Node:
    if value is None:
        return Node(name=name, kind="null", text="null")
    if isinstance(value, bool):
        return Node(name=name, kind="boolean", text="true" if value else "false")
    if isinstance(value, int | float):
        return Node(name=name, kind="number", text=repr(value))
    text = str(value)
    if blob := _blob(text):
        return Node(name=name, kind="blob", note=blob)
    if len(text) > MAX_STRING:
        left = len(text) - MAX_STRING
        return Node(
            name=name, kind="string", text=text[:MAX_STRING], note=f"{left:,} more characters: see the raw text"
        )
    return Node(name=name, kind="string", text=text)


def _blob(text: str) -> str:
    """What an encoded file is called instead of being shown; empty for text that people read."""
    head, comma, _ = text[:200].partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return f"{head.removeprefix('data:').removesuffix(';base64')}, {_kilobytes(len(text) - len(head))}"
    if len(text) >= _BASE64_AT_LEAST and " " not in text[:200] and _BASE64.issuperset(text):
        return f"encoded data, {_kilobytes(len(text))}"
    return ""


def _kilobytes(characters: int) -> str:
    return f"{characters * 3 / 4 / 1000:,.1f} kB"


def html(node: Node) -> str:
    """The tree with `<details>` for what has parts, so that it folds without a script."""
    name = f'<span class="json-name">{escape(node.name)}</span>' if node.name else ""
    note = f'<span class="json-note">{escape(node.note)}</span>' if node.note else ""
    if node.children:
        opened = " open" if node.is_open else ""
        items = "</li><li>".join(map(html, node.children))
        return (
            f'<details class="json-{node.kind}"{opened}><summary>{name}{note}</summary>'
            f"<ul><li>{items}</li></ul></details>"
        )
    text = f'<span class="json-{node.kind}" dir="auto">{escape(node.text)}</span>' if node.text else ""
    return f"{name}{text}{note}"
