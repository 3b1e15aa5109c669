"""A request as a conversation: who said what, which tools were called and what they answered; a pure fold of its log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from agents.tools.subagent import INVOKE_SUBAGENT
from runtime.kinds import EventKind
from runtime.models import AgentRequest, Interaction
from telemetry.show.log import LogLine, read_many

Kind = Literal["user", "answer", "tool", "question", "note", "error"]
MOST_SHOWN = 16 * 1024
_PREVIEW = 80
WHOLE = 300_000
"""Bytes below which a payload is read whole to be shown as something said."""


@dataclass(slots=True, kw_only=True)
class Part:
    key: str
    kind: Kind
    at: datetime
    text: str = ""
    name: str = ""
    arguments: Any = None
    is_error: bool = False
    is_denied: bool = False
    """A person did not let it run: no fault of the tool."""
    is_cut_off: bool = False
    """The request ended while it was being said."""
    is_open: bool = False
    """It goes on: a tool that runs, a question that nobody has answered."""
    call: str = ""
    child: str = ""
    """Request id of a subagent's work."""
    interaction_id: str = ""
    options: list[str] = field(default_factory=list)
    schema: Any = None
    verdict: str = ""
    """What came of a question."""
    duration_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    attachments: list[Any] = field(default_factory=list)

    @property
    def answer_id(self) -> str:
        """Of the element in which a question is answered."""
        return f"asked-{self.interaction_id}"

    @property
    def preview(self) -> str:
        """The first of a call's arguments, on one line."""
        if not isinstance(self.arguments, dict):
            return ""
        told = [
            f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in self.arguments.items()
        ]
        return " ".join(" ".join(told)[: 2 * _PREVIEW].split())[:_PREVIEW]

    @property
    def look(self) -> tuple[object, ...]:
        """Whatever of it changes while the request runs."""
        return (self.text, self.is_open, self.is_error, self.child, self.name, self.verdict)


@dataclass(slots=True)
class Conversation:
    parts: dict[str, Part] = field(default_factory=dict)
    cut_off: LogLine | None = None
    """The model call that failed last, with what had been said by then; None when another one has followed."""

    def add(self, line: LogLine, kind: Kind, **about: Any) -> Part:
        part = Part(key=f"{kind}-{line.sequence}", kind=kind, at=line.at, **about)
        self.parts[part.key] = part
        return part

    def open_part(self, **about: str) -> Part | None:
        """The newest part that goes on and is about this."""
        for part in reversed(self.parts.values()):
            if part.is_open and all(getattr(part, name) == value for name, value in about.items()):
                return part
        return None

    def looks(self) -> dict[str, tuple[object, ...]]:
        return {key: part.look for key, part in self.parts.items()}


def fold_conversation(conversation: Conversation, line: LogLine) -> None:
    """The next event of the log."""
    if handle := _HANDLERS.get(line.event_type):
        handle(conversation, line)


def _accepted(conversation: Conversation, line: LogLine) -> None:
    attached = line.payload.get("attachments") or []
    conversation.add(line, "user", text=str(line.payload.get("message") or ""), attachments=attached)


def _answered(conversation: Conversation, line: LogLine) -> None:
    text = str(line.payload.get("assistant_text") or "")
    usage = line.payload.get("usage") or {}
    if text.strip():
        conversation.add(
            line,
            "answer",
            text=text,
            name=str(line.payload.get("model") or ""),
            duration_ms=line.payload.get("duration_ms"),
            input_tokens=usage.get("input_tokens"),
            output_tokens=usage.get("output_tokens"),
            cost_usd=line.payload.get("cost_usd"),
        )


def _call_failed(conversation: Conversation, line: LogLine) -> None:
    conversation.cut_off = line if line.payload.get("partial_text") else None


def _tool_started(conversation: Conversation, line: LogLine) -> None:
    conversation.add(
        line,
        "tool",
        name=str(line.payload.get("tool_name") or "tool"),
        arguments=line.payload.get("tool_arguments"),
        call=f"{line.loop_index}.{line.payload.get('tool_call_id')}",
        is_open=True,
    )


def _tool_ended(conversation: Conversation, line: LogLine) -> None:
    call = f"{line.loop_index}.{line.payload.get('tool_call_id')}"
    name = str(line.payload.get("tool_name") or "tool")
    part = conversation.open_part(call=call) or conversation.add(line, "tool", name=name)
    result = line.payload.get("result") or {}
    part.is_open, part.is_error = False, bool(result.get("is_error"))
    part.is_denied = bool((result.get("metadata") or {}).get("denied"))
    part.text, part.duration_ms = str(result.get("content") or "")[:MOST_SHOWN], line.payload.get("duration_ms")
    if part.name == INVOKE_SUBAGENT:
        part.child = str((result.get("metadata") or {}).get("request_id") or part.child)


def _child_accepted(conversation: Conversation, line: LogLine) -> None:
    for part in conversation.parts.values():
        is_asked = isinstance(part.arguments, dict) and part.arguments.get("agent_id") == line.payload.get("agent_id")
        if part.is_open and part.kind == "tool" and not part.child and is_asked:
            part.child = str(line.payload.get("request_id") or "")
            return


def _question(conversation: Conversation, line: LogLine) -> None:
    kind, calls = str(line.payload.get("kind") or ""), line.payload.get("tool_calls") or []
    conversation.add(
        line,
        "question",
        text=str(line.payload.get("prompt") or ""),
        name=kind,
        arguments=calls[0].get("arguments") if calls and kind == Interaction.Kind.APPROVAL else None,
        interaction_id=str(line.payload.get("interaction_id") or ""),
        options=list(line.payload.get("options") or []),
        schema=line.payload.get("schema"),
        is_open=True,
    )


def _child_asks(conversation: Conversation, line: LogLine) -> None:
    who, child = str(line.payload.get("agent_id") or "A subagent"), str(line.payload.get("request_id") or "")
    if not conversation.open_part(kind="question", child=child):
        conversation.add(line, "question", text=f"{who} waits for a person.", child=child, is_open=True)


def _child_was_answered(conversation: Conversation, line: LogLine) -> None:
    if part := conversation.open_part(kind="question", child=str(line.payload.get("request_id") or "")):
        part.is_open, part.verdict = False, "Answered"


def _settled(conversation: Conversation, line: LogLine) -> None:
    if part := conversation.open_part(interaction_id=str(line.payload.get("interaction_id") or "")):
        part.is_open, part.verdict = False, _verdict(line.payload, is_approval=part.name == Interaction.Kind.APPROVAL)


def _verdict(payload: Mapping[str, Any], *, is_approval: bool) -> str:
    answer, by = payload.get("response"), f" by {payload['by']}" if payload.get("by") else ""
    note = f": {payload['note']}" if payload.get("note") else ""
    if payload.get("state") != Interaction.State.ANSWERED:
        return "Nobody answered in time" + (", which counts as a refusal" if is_approval else "")
    if is_approval:
        return f"{'Approved' if answer == 'approve' else 'Denied'}{by}{note}"
    if isinstance(answer, list):
        answer = ", ".join(map(str, answer))
    return f"Answered{by}: {answer if isinstance(answer, str) else json.dumps(answer)}"


def _summed_up(conversation: Conversation, line: LogLine) -> None:
    conversation.add(line, "note", text="Earlier turns were summed up, so the model sees the summary in their place.")


def _retried(conversation: Conversation, line: LogLine) -> None:
    conversation.cut_off = None
    delay = float(line.payload.get("delay_s") or 0)
    error = line.payload.get("error") or line.payload.get("code")
    conversation.add(line, "note", text=f"The model did not answer ({error}). It was asked again after {delay:.1f} s.")


def _fell_back(conversation: Conversation, line: LogLine) -> None:
    conversation.cut_off = None
    to = (line.payload.get("to") or {}).get("model") or "the fallback"
    conversation.add(line, "note", text=f"{to} was asked instead: {line.payload.get('error')}")


def _completed(conversation: Conversation, line: LogLine) -> None:
    """An answer that no model call gave, as when the steps ran out, is said here for the first time."""
    text = str((line.payload.get("response") or {}).get("text") or "")
    said = [part.text for part in conversation.parts.values() if part.kind == "answer"]
    if text.strip() and (not said or said[-1] != text):
        conversation.add(line, "answer", text=text)
    _close_all(conversation)


def _failed(conversation: Conversation, line: LogLine) -> None:
    _say_what_was_cut_off(conversation)
    conversation.add(line, "error", text=str(line.payload.get("error") or "The request failed."))
    _close_all(conversation)


def _cancelled(conversation: Conversation, line: LogLine) -> None:
    _say_what_was_cut_off(conversation)
    by = f" by {line.payload['by']}" if line.payload.get("by") else ""
    conversation.add(line, "note", text=f"Stopped{by}.")
    _close_all(conversation)


def _resumed(conversation: Conversation, line: LogLine) -> None:
    conversation.add(line, "note", text="Resumed.")


def _recovered(conversation: Conversation, line: LogLine) -> None:
    conversation.add(line, "note", text="Its worker was lost; another one went on from there.")


def _say_what_was_cut_off(conversation: Conversation) -> None:
    if line := conversation.cut_off:
        text, model = str(line.payload["partial_text"]), str(line.payload.get("model") or "")
        duration_ms = line.payload.get("duration_ms")
        conversation.add(line, "answer", text=text, name=model, duration_ms=duration_ms, is_cut_off=True)
        conversation.cut_off = None


def _close_all(conversation: Conversation) -> None:
    for part in conversation.parts.values():
        if part.is_open and part.kind == "question":
            part.verdict = "The request ended before anybody answered"
        part.is_open = False


_HANDLERS = {
    str(EventKind.REQUEST_ACCEPTED): _accepted,
    str(EventKind.THINK_COMPLETED): _answered,
    str(EventKind.LLM_REQUEST_ERROR): _call_failed,
    str(EventKind.TOOL_STARTED): _tool_started,
    str(EventKind.TOOL_COMPLETED): _tool_ended,
    str(EventKind.SUBAGENT_COMPLETED): _tool_ended,
    str(EventKind.SUBAGENT_ACCEPTED): _child_accepted,
    str(EventKind.SUBAGENT_INTERACTION_CREATE): _child_asks,
    str(EventKind.SUBAGENT_INTERACTION_ACK): _child_was_answered,
    str(EventKind.INTERACTION_CREATE): _question,
    str(EventKind.INTERACTION_ACK): _settled,
    str(EventKind.COMPACTION_COMPLETED): _summed_up,
    str(EventKind.LLM_RETRY): _retried,
    str(EventKind.LLM_FALLBACK): _fell_back,
    str(EventKind.REQUEST_COMPLETED): _completed,
    str(EventKind.REQUEST_FAILED): _failed,
    str(EventKind.REQUEST_CANCELLED): _cancelled,
    str(EventKind.REQUEST_RESUMED): _resumed,
    str(EventKind.REQUEST_RECOVERED): _recovered,
}
SAID = tuple(_HANDLERS)
"""The kinds of events that make a conversation."""


def conversation_of(agent_request: AgentRequest) -> Conversation:
    """The whole of it as the log has it now."""
    [conversation] = conversations_of([agent_request])
    return conversation


def conversations_of(agent_requests: Sequence[AgentRequest]) -> list[Conversation]:
    """Of several requests, in the order given, read together. Payloads that are too large keep their first words only."""
    heads = {row.pk: row.last_sequence for row in agent_requests}
    found = {row.pk: Conversation() for row in agent_requests}
    for row_pk, line in read_many(agent_requests, SAID, whole_below=WHOLE):
        if line.sequence <= heads[row_pk]:
            fold_conversation(found[row_pk], line)
    return list(found.values())
