"""What a running tool knows of the request that called it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """`idempotency_key` is the same when a crashed call is made again: `{request_id}:{loop}:{call_id}`."""

    workspace: str
    agent_id: str
    session_id: str
    request_id: str
    idempotency_key: str
    user: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cancelled: Callable[[], bool] = _never
