"""What a request's row counts of its log, so that lists need not read it: steps, tool calls, the model, the answer's beginning."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from runtime.kinds import EventKind

PREVIEW_CHARACTERS = 200
MAX_MODEL = 200
_STEP_ENDS = (EventKind.STEP_COMPLETED, EventKind.WORKFLOW_STEP_COMPLETED)
_TOOL_ENDS = (EventKind.TOOL_COMPLETED, EventKind.SUBAGENT_COMPLETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The names are those of the columns. Numbers add up; of texts the latest stays."""

    steps: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    model: str = ""
    answer_preview: str = ""

    def __add__(self, later: "Tally") -> "Tally":
        return Tally(
            steps=self.steps + later.steps,
            tool_calls=self.tool_calls + later.tool_calls,
            tool_errors=self.tool_errors + later.tool_errors,
            model=later.model or self.model,
            answer_preview=later.answer_preview or self.answer_preview,
        )

    @classmethod
    def of_event(cls, event_type: str, payload: Mapping[str, Any]) -> "Tally":
        if event_type in _STEP_ENDS:
            return cls(steps=1)
        if event_type in _TOOL_ENDS:
            result = payload.get("result")
            return cls(tool_calls=1, tool_errors=int(isinstance(result, dict) and result.get("is_error") is True))
        if event_type == EventKind.THINK_COMPLETED:
            return cls(model=str(payload.get("model") or "")[:MAX_MODEL])
        if event_type == EventKind.REQUEST_COMPLETED:
            text = (payload.get("response") or {}).get("text") or ""
            return cls(answer_preview=text[:PREVIEW_CHARACTERS])
        return _NOTHING

    def assignments(self) -> tuple[str, list[Any]]:
        """What adds this to a row, as a piece of its UPDATE and the values for it."""
        changed = [(name, getattr(self, name)) for name in TALLIED if getattr(self, name)]
        pieces = [f", {name} = {name} + %s" if isinstance(value, int) else f", {name} = %s" for name, value in changed]
        return "".join(pieces), [value for _, value in changed]


TALLIED = tuple(field.name for field in fields(Tally))
_NOTHING = Tally()


def tally(events: Iterable[tuple[str, Mapping[str, Any]]]) -> Tally:
    """Of events in the order of the log, given as type and payload."""
    return sum((Tally.of_event(event_type, payload) for event_type, payload in events), start=_NOTHING)
