"""Shows one request from its first event to its last (contract 2.4, 9.6; extensions 1)."""

import enum
from collections.abc import Callable, Mapping
from typing import Any

from runtime.client import RequestEvent
from runtime.repl.screen import Screen
from runtime.repl.text import one_line
from runtime.repl.thought import mapping, text
from runtime.repl.trace import TraceView

_MIRROR = "subagent."


class Outcome(enum.Enum):
    ANSWERED = "answered"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class RequestView:
    """`outcome` and `session_id` are known once the last event was taken and the view closed."""

    def __init__(self, screen: Screen, agent_id: str) -> None:
        self.outcome = Outcome.FAILED
        self.session_id = ""
        self._screen = screen
        self._main = TraceView(screen, agent_id, on_response=self._answered_early)
        self._nested: dict[str, TraceView] = {}
        self._early = ""
        self._ending: Callable[[], None] | None = None
        self._shown: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "agent.trace": self._trace,
            "request.waiting": self._waiting,
            "request.paused": self._paused,
            "request.resumed": self._resumed,
            "request.completed": self._completed,
            "request.error": self._failed,
            "request.cancelled": self._cancelled,
        }

    def take(self, event: RequestEvent) -> None:
        show = self._shown.get(event.name)
        if show:
            show(event.data)

    def close(self) -> None:
        """Sums up, and shows how the request ended; without a terminal event that is an error."""
        for view in [*self._nested.values(), self._main]:
            view.close()
        if self._ending is None:
            self._screen.error(
                "The stream ended before the request did.", "/history shows the answer once it is there."
            )
            return
        self._ending()

    def _trace(self, data: Mapping[str, Any]) -> None:
        kind = text(data.get("event_type"))
        if kind.startswith(_MIRROR):
            self._mirror(kind.removeprefix(_MIRROR), mapping(data.get("payload")))
        else:
            self._main.take(data)

    def _mirror(self, name: str, payload: Mapping[str, Any]) -> None:
        """An event of a subagent; its keys may lie one level deeper (contract 3.4)."""
        mirrored = payload if "agent_id" in payload else mapping(payload.get("payload"))
        label = f"Subagent {one_line(text(mirrored.get('agent_id')))}"
        data = mapping(mirrored.get("data"))
        view = self._nested.setdefault(label, TraceView(self._screen, label))
        if name == "agent.trace":
            view.take(data)
        elif name == "request.started":
            self._screen.line(f"{label}: started")
        elif name == "request.completed":
            view.close()
            self._screen.line(f"{label}: completed")
        elif name in {"request.error", "request.cancelled"}:
            view.close()
            self._screen.line(f"{label}: {_reason_of(data)}", "red")

    def _waiting(self, data: Mapping[str, Any]) -> None:
        position = data.get("position")
        place = f", position {position}" if isinstance(position, int) else ""
        self._screen.line(f"Waiting: {_WAITING.get(text(data.get('reason')), _reason_of(data))}{place}", "yellow")

    def _paused(self, data: Mapping[str, Any]) -> None:
        self._screen.line(f"Paused: {_PAUSED.get(text(data.get('reason')), _reason_of(data))}", "yellow")

    def _resumed(self, data: Mapping[str, Any]) -> None:
        self._screen.line("Resumed", "yellow")
        # A request that was cancelled and resumed has not ended yet.
        self._ending = None

    def _answered_early(self, answer: str) -> None:
        self._early = answer
        self._screen.early_answer(answer)

    def _completed(self, data: Mapping[str, Any]) -> None:
        answer = text(mapping(data.get("response")).get("text"))
        self.session_id = text(data.get("session_id"))
        self._ending = lambda: self._end_answered(answer)

    def _end_answered(self, answer: str) -> None:
        self.outcome = Outcome.ANSWERED
        self._screen.final_answer(answer, early=self._early)

    def _failed(self, data: Mapping[str, Any]) -> None:
        advice = "The same message may succeed when sent again." if data.get("retryable") is True else ""
        self._ending = lambda: self._screen.error(f"The request failed: {_reason_of(data)}", advice)

    def _cancelled(self, data: Mapping[str, Any]) -> None:
        by = f" by {one_line(text(data.get('by')))}" if data.get("by") else ""
        self._ending = lambda: self._screen.line(f"Cancelled{by}: {_reason_of(data)}", "red")


_WAITING = {
    "session_busy": "an earlier request of this session is still running",
    "concurrency_limit": "the limit of requests at a time is reached",
    "quota": "the quota is used up for now",
}
_PAUSED = {
    "interaction": "a person has to answer",
    "subagent": "a subagent is at work",
    "timer": "until its time comes",
}


def _reason_of(data: Mapping[str, Any]) -> str:
    message = text(data.get("error")) or text(data.get("reason")) or "no reason given"
    code = text(data.get("error_code"))
    return one_line(f"{message} [{code}]" if code and code != message else message)
