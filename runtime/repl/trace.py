"""Shows the trace of one agent as it happens (contract 9.6)."""

from collections.abc import Callable, Mapping
from typing import Any

from runtime.kinds import EventKind
from runtime.repl.screen import Screen
from runtime.repl.spoken import SpokenText
from runtime.repl.text import one_line
from runtime.repl.thought import Tally, Thought, mapping, number, text

DELTA = "llm.response.delta"


class TraceView:
    def __init__(self, screen: Screen, label: str, *, on_response: Callable[[str, bool], None] | None = None) -> None:
        self._screen = screen
        self._label = label
        self._on_response = on_response
        self._spoken = SpokenText(screen, label)
        self._trace_id: object = None
        self._tally: Tally | None = None
        self._shown: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], None]] = {
            DELTA: self._spoke,
            EventKind.THINK_COMPLETED: self._thought,
            EventKind.TOOL_COMPLETED: self._acted,
            EventKind.SUBAGENT_COMPLETED: self._acted,
            EventKind.STEP_COMPLETED: self._step_completed,
            EventKind.LLM_RETRY: self._retried,
            EventKind.TOOL_INTERRUPTED: self._interrupted,
        }

    def take(self, data: Mapping[str, Any]) -> None:
        """One `agent.trace` event."""
        show = self._shown.get(text(data.get("event_type")))
        if show:
            show(data, mapping(data.get("payload")))

    def close(self) -> None:
        """Sums up the trace, if there was one."""
        self._spoken.begin_anew()
        if self._tally is not None and self._tally.parts_ms:
            self._screen.line(f"{self._label}: {self._tally.summary}", "dim")
        self._tally = None

    def _begin(self, trace_id: object) -> Tally:
        if trace_id != self._trace_id:
            self.close()
        if self._tally is None:
            self._trace_id, self._tally = trace_id, Tally()
            self._screen.line(f"{self._label}: execution started", "bold")
        return self._tally

    def _spoke(self, data: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        if self._screen.shows_text_live and (piece := text(payload.get("text"))):
            self._begin(data.get("trace_id"))
            self._spoken.hear(piece, is_first=number(payload.get("index")) == 0)

    def _thought(self, data: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        thought = Thought.read(data)
        tally = self._begin(data.get("trace_id"))
        tally.add(thought)
        is_shown = self._spoken.end(thought.assistant_text)
        head = f"-> Step {thought.step}: {one_line(thought.title)}"
        self._screen.line(f"{head} ({thought.tokens:,} tokens), {thought.duration_ms:,} ms", "cyan")
        if thought.assistant_text:
            self._said(thought, is_shown=is_shown)
        for preview in thought.previews:
            self._screen.line(f"   {preview}")

    def _said(self, thought: Thought, *, is_shown: bool) -> None:
        if self._on_response and thought.is_answer:
            self._on_response(thought.assistant_text, is_shown)
        elif not is_shown:
            self._screen.line(thought.assistant_text, "dim")

    def _acted(self, data: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        duration_ms = number(payload.get("duration_ms"))
        if self._tally is not None:
            self._tally.add_part(number(data.get("loop_index")) + 1, duration_ms)
        has_failed = bool(mapping(payload.get("result")).get("is_error"))
        trouble = f", {one_line(text(payload.get('tool_name')))} reported an error" if has_failed else ""
        self._screen.line(f"   1 tool, {duration_ms:,} ms{trouble}", "yellow" if has_failed else "dim")

    def _step_completed(self, data: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        if self._tally is not None:
            self._tally.totals_ms[number(data.get("loop_index")) + 1] = number(payload.get("duration_ms"))

    def _retried(self, data: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        self._spoken.begin_anew()
        why = text(payload.get("code")) or "error"
        delay = payload.get("delay_s")
        when = f" in {delay:.1f} s" if isinstance(delay, int | float) else ""
        attempt = number(payload.get("attempt"))
        self._screen.line(f"{self._label}: model call {attempt} failed ({one_line(why)}), again{when}", "yellow")

    def _interrupted(self, data: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        name = one_line(text(payload.get("tool_name"))) or "a tool"
        self._screen.line(f"{self._label}: {name} was interrupted, its outcome is unknown", "yellow")
