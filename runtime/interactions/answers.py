"""What counts as an answer to each kind of question, and what silence means."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agents.json_schema import faults_of
from agents.loop import Answer
from agents.tools.base import ToolResult
from runtime.errors import IllegalAnswer
from runtime.models import Interaction

Kind = Interaction.Kind
# How long a question stays open, and what it means when nobody answers.
PATIENCE: Mapping[str, timedelta] = {
    Kind.APPROVAL: timedelta(seconds=300),
    Kind.CHOICE: timedelta(hours=1),
    Kind.INFO: timedelta(hours=1),
}
SILENCE: Mapping[str, Any] = {Kind.APPROVAL: "deny", Kind.CHOICE: [], Kind.INFO: ""}
MAX_TEXT = 32_768


@dataclass(frozen=True, slots=True)
class Reading:
    """A legal answer."""

    response: Any
    note: str = ""


def read_answer(interaction: Interaction, response: Any) -> Reading:
    """The answer if it is a legal one, else `IllegalAnswer`, which says what would be."""
    match interaction.kind:
        case Kind.APPROVAL:
            return _decision(response)
        case Kind.CHOICE:
            return _choice(response, interaction.options)
    if interaction.schema is not None:
        if faults := faults_of(interaction.schema, response):
            raise IllegalAnswer(f"The answer does not satisfy the question's schema: {'; '.join(faults)}")
        return Reading(response)
    return Reading(_text(response, "The answer"))


def result_of_question(answer: Answer) -> ToolResult:
    """What the model gets for its question."""
    if answer.state != "answered":
        return ToolResult.success("Nobody answered in time.", answered=False)
    said = answer.response
    text = ", ".join(said) if isinstance(said, list) else str(said)
    return ToolResult.success(f"{text}\n{answer.note}".strip(), answered=True)


def _decision(response: Any) -> Reading:
    note = ""
    if isinstance(response, dict) and set(response) <= {"decision", "note"}:
        note = _text(response.get("note", ""), "The note")
        response = response.get("decision")
    if response not in ("approve", "deny"):
        raise IllegalAnswer('Answer "approve" or "deny", or {"decision": "approve", "note": "..."}.')
    return Reading(response, note)


def _choice(response: Any, options: list[str]) -> Reading:
    chosen = [response] if isinstance(response, str) else response
    if not isinstance(chosen, list) or not chosen or any(option not in options for option in chosen):
        raise IllegalAnswer(f"Choose one or more of: {', '.join(options)}.")
    return Reading(list(dict.fromkeys(chosen)))


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise IllegalAnswer(f"{name} must be text of at most {MAX_TEXT} characters.")
    return value
