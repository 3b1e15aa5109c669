"""What a running tool knows of the request that called it, and what it may do besides answering."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agents.stop_signal import StopSignal


def _nowhere(_event_type: str, _payload: Mapping[str, Any]) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonsAnswer:
    """What a person said to a tool's question."""

    state: str
    """`answered`; `expired` when nobody did in time; `cancelled` when the request was stopped meanwhile."""
    response: Any
    """A list of options, a text, or JSON of the question's schema."""


class AskPerson(Protocol):
    """Asks a person in the middle of a call, and holds the tool's thread until they answer."""

    def __call__(
        self, prompt: str, /, *, options: Sequence[str] = (), schema: Mapping[str, Any] | None = None
    ) -> PersonsAnswer: ...


def _nobody(_prompt: str, *, options: Sequence[str] = (), schema: Mapping[str, Any] | None = None) -> PersonsAnswer:
    return PersonsAnswer(state="expired", response=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """`idempotency_key` is the same when a crashed call is made again: `{request_id}:{loop}:{call_id}`."""

    workspace: str
    """The workspace's slug."""
    agent_id: str
    session_id: str
    request_id: str
    idempotency_key: str
    user: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    stop: StopSignal = field(default_factory=StopSignal)
    emit: Callable[[str, Mapping[str, Any]], None] = _nowhere
    """Adds an event of the contract's families (`mcp.*`, `memory.search.*`) to the request's log."""

    ask: AskPerson = _nobody

    def cancelled(self) -> bool:
        """Whether the tool should end: the request was cancelled, or its time is over."""
        return self.stop.is_set()
