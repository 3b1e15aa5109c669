"""Shows one request from its first event to its last (contract 2.4, 9.6; extensions 1)."""

import enum
import json
from collections.abc import Callable, Mapping
from typing import Any

from runtime.client import RequestEvent
from runtime.repl.screen import Screen
from runtime.repl.text import one_line
from runtime.repl.thought import mapping, text
from runtime.repl.told import Told
from runtime.repl.trace import TraceView

_MAX_RESPONSE = 200


class Outcome(enum.Enum):
    ANSWERED = "answered"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    WAITING = "waiting"
    """A question was left open."""


class RequestView:
    """`outcome` is known once the last event was taken and the view closed."""

    def __init__(self, screen: Screen, agent_id: str) -> None:
        self.outcome = Outcome.FAILED
        self._has_asked = False
        self._screen = screen
        self._main = TraceView(screen, agent_id, on_response=self._answered_early)
        self._nested: dict[str, TraceView] = {}
        self._early = ""
        self._ending: Callable[[], None] | None = None
        self._shown: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "agent.trace": self._main.take,
            "request.interaction.create": self._asked,
            "request.interaction.ack": self._settled,
            "request.waiting": self._waiting,
            "request.paused": self._paused,
            "request.resumed": self._resumed,
            "request.completed": self._completed,
            "request.error": self._failed,
            "request.cancelled": self._cancelled,
        }

    def take(self, event: RequestEvent) -> None:
        told = Told.read(event)
        if told.subagent_id:
            self._mirror(told)
        elif show := self._shown.get(told.name):
            show(told.data)

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

    def _mirror(self, told: Told) -> None:
        label = f"Subagent {one_line(told.subagent_id)}"
        view = self._nested.setdefault(label, TraceView(self._screen, label))
        match told.name:
            case "agent.trace":
                view.take(told.data)
            case "request.started":
                self._screen.line(f"{label}: started")
            case "request.completed":
                view.close()
                self._screen.line(f"{label}: completed")
            case "request.error" | "request.cancelled":
                view.close()
                self._screen.line(f"{label}: {_reason_of(told.data)}", "red")
            case "request.interaction.ack":
                self._settled(told.data)

    def _asked(self, data: Mapping[str, Any]) -> None:
        self._has_asked = True

    def _settled(self, data: Mapping[str, Any]) -> None:
        note = text(data.get("note"))
        response = json.dumps(data.get("response"), ensure_ascii=False)[:_MAX_RESPONSE]
        said = f"{response}, {note}" if note else response
        if data.get("state") == "answered":
            self._screen.line(f"Answered by {one_line(text(data.get('by')))}: {one_line(said)}", "yellow")
        else:
            self._screen.line(f"Nobody answered in time, which counts as {one_line(said)}", "yellow")

    def _waiting(self, data: Mapping[str, Any]) -> None:
        position = data.get("position")
        place = f", position {position}" if isinstance(position, int) else ""
        self._screen.line(f"Waiting: {_WAITING.get(text(data.get('reason')), _reason_of(data))}{place}", "yellow")

    def _paused(self, data: Mapping[str, Any]) -> None:
        if self._has_asked and data.get("reason") == "interaction":
            # The question itself has told as much.
            return
        self._screen.line(f"Paused: {_PAUSED.get(text(data.get('reason')), _reason_of(data))}", "yellow")

    def _resumed(self, data: Mapping[str, Any]) -> None:
        self._screen.line("Resumed", "yellow")
        # A request that was cancelled and resumed has not ended yet.
        self._ending = None

    def _answered_early(self, answer: str, is_shown: bool) -> None:
        self._early = answer
        if not is_shown:
            self._screen.early_answer(answer)

    def _completed(self, data: Mapping[str, Any]) -> None:
        answer = text(mapping(data.get("response")).get("text"))
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
