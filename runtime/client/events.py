"""One public event of a request, as a client receives it."""

from dataclasses import dataclass
from typing import Any

TERMINAL_NAMES = frozenset({"request.completed", "request.error", "request.cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvent:
    name: str
    data: dict[str, Any]
    sequence: int | None
    """Place in the request's log; None for what is sent live and not kept, such as text deltas."""

    @property
    def is_terminal(self) -> bool:
        return self.name in TERMINAL_NAMES
