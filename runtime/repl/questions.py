"""What a request asks a person, and what the reader's line means as an answer to it (extensions 5)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from runtime.repl.thought import mapping, text
from runtime.repl.told import Told

APPROVAL, CHOICE, INFO = "approval", "choice", "info"
_CREATED = "request.interaction.create"
_YES, _NO = frozenset({"y", "yes"}), frozenset({"n", "no"})


class NoAnswer(Exception):
    """The line is no answer to this question; the text says what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    interaction_id: str
    agent_id: str
    request_id: str
    kind: str
    prompt: str
    options: tuple[str, ...]
    has_schema: bool
    calls: tuple[Mapping[str, Any], ...]
    """What would run: id, name and arguments."""
    deadline: float

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Self:
        """From an event's data or a row of the inbox, which have the same keys."""
        deadline = row.get("deadline")
        return cls(
            interaction_id=text(row.get("interaction_id")),
            agent_id=text(row.get("agent_id")),
            request_id=text(row.get("request_id")),
            kind=text(row.get("kind")),
            prompt=text(row.get("prompt")),
            options=tuple(option for option in _listed(row.get("options")) if isinstance(option, str)),
            has_schema=bool(mapping(row.get("schema"))),
            calls=tuple(mapping(call) for call in _listed(row.get("tool_calls"))),
            deadline=float(deadline) if isinstance(deadline, int | float) else 0.0,
        )

    def answer(self, line: str) -> Any:
        """What to send for the line; raises `NoAnswer`."""
        match self.kind:
            case "approval":
                return _decision(line)
            case "choice":
                return _chosen(line, self.options)
        return _as_json(line) if self.has_schema else _as_text(line)


def question_in(told: Told) -> Question | None:
    """The question that this event asks, if it does and can be answered."""
    if told.name != _CREATED:
        return None
    question = Question.read(told.data)
    is_known = question.kind in {APPROVAL, CHOICE, INFO}
    return question if is_known and question.interaction_id and question.request_id else None


def _decision(line: str) -> dict[str, str]:
    """Only a plain yes approves. Any other words are a note to the model, and deny."""
    first, _, rest = line.strip().partition(" ")
    word = first.lower().rstrip(",.:;!")
    if word in _YES:
        return {"decision": "approve", "note": rest.strip()}
    return {"decision": "deny", "note": rest.strip() if word in _NO else line.strip()}


def _chosen(line: str, options: tuple[str, ...]) -> list[str]:
    """By number or by the option's own words."""
    if line.strip() in options:
        return [line.strip()]
    chosen = [_option(part.strip(), options) for part in line.split(",") if part.strip()]
    if not chosen:
        raise NoAnswer(f"Choose one or more: numbers from 1 to {len(options)}, separated by commas.")
    return list(dict.fromkeys(chosen))


def _option(word: str, options: tuple[str, ...]) -> str:
    if word in options:
        return word
    if word.isdecimal() and 1 <= int(word[:9]) <= len(options):
        return options[int(word[:9]) - 1]
    raise NoAnswer(f"{word!r} is none of the options. Choose numbers from 1 to {len(options)}, separated by commas.")


def _as_text(line: str) -> str:
    if not line.strip():
        raise NoAnswer("Write an answer.")
    return line


def _as_json(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise NoAnswer('This answer must be JSON, such as true, 7, "text" or {"name": "value"}.') from None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
