"""What a page's stream sends: HTML that htmx puts in its place, and a few named events."""

from collections.abc import Iterable

END = b"event: end\ndata: -\n\n"
RESYNC = b"event: resync\ndata: -\n\n"
"""Too much has happened to be told: the page asks for the whole part again."""


def frame(parts: Iterable[str], *, cursor: int | None = None) -> bytes:
    """An unnamed event, which htmx takes for HTML; `cursor` is what a client sends back after a lost connection."""
    lines = "".join(f"data: {line}\n" for part in parts for line in part.splitlines())
    number = "" if cursor is None else f"id: {cursor}\n"
    return f"{number}{lines}\n".encode() if lines else f"{number}\n".encode()


def part(html: str, *, target: str, swap: str) -> str:
    """HTML for one place of the page; `target` is a CSS selector."""
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{html}</hx-partial>'
