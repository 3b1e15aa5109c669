"""What the trace shows of one step, read from events whose every field may be missing or of another kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from runtime.repl.preview import call_preview


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def number(value: Any) -> int:
    return round(value) if isinstance(value, int | float) else 0


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """One `runtime.llm.think.completed`."""

    step: int
    action_type: str
    assistant_text: str
    tool_names: tuple[str, ...]
    previews: tuple[str, ...]
    tokens: int
    duration_ms: int

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        payload = mapping(data.get("payload"))
        usage = mapping(payload.get("token_usage"))
        listed = payload.get("tool_calls")
        calls = [mapping(call) for call in listed] if isinstance(listed, list) else []
        return cls(
            step=number(data.get("loop_index")) + 1,
            action_type=text(payload.get("action_type")),
            assistant_text=text(payload.get("assistant_text")),
            tool_names=tuple(text(call.get("name")) for call in calls),
            previews=tuple(_previews(calls)),
            tokens=number(usage.get("input")) + number(usage.get("output")),
            duration_ms=number(payload.get("duration_ms")),
        )

    @property
    def is_answer(self) -> bool:
        return self.action_type in {"response", "finish"}

    @property
    def title(self) -> str:
        if self.action_type == "tool_call" and self.tool_names:
            return f"Calling tools: {', '.join(self.tool_names)}"
        titles = {"response": "Generating response", "finish": "Finishing execution"}
        return titles.get(self.action_type, f"Action: {self.action_type}")


@dataclass(slots=True)
class Tally:
    """The sums of one trace (contract 3.9): a step lasts its own total, else the sum of its parts."""

    tools: int = 0
    tokens: int = 0
    parts_ms: dict[int, int] = field(default_factory=dict)
    totals_ms: dict[int, int] = field(default_factory=dict)

    def add(self, thought: Thought) -> None:
        self.tools += len(thought.tool_names)
        self.tokens += thought.tokens
        self.add_part(thought.step, thought.duration_ms)

    def add_part(self, step: int, duration_ms: int) -> None:
        self.parts_ms[step] = self.parts_ms.get(step, 0) + duration_ms

    @property
    def summary(self) -> str:
        duration_ms = sum(self.totals_ms.get(step) or part for step, part in self.parts_ms.items())
        steps = counted(len(self.parts_ms), "step")
        return f"{steps}, {counted(self.tools, 'tool')}, {self.tokens:,} tokens, {duration_ms:,} ms"


def _previews(calls: list[Mapping[str, Any]]) -> list[str]:
    return [
        call_preview(text(call.get("name")), mapping(call.get("arguments")))
        for call in calls
        if mapping(call.get("arguments"))
    ]


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
