"""Asks the agent's model for the summary that stands for earlier turns (contract 5.8)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from agents.build import RunnableAgent
from agents.llm.types import LLMContentBlock, LLMMessage
from agents.memory.models import Turn
from agents.stop_signal import StopSignal
from runtime.ask_model import Question, answered_event, ask_model, asking_event, milliseconds_since, name_of
from runtime.deadline import Deadline
from runtime.journal import Journal

PROMPT = """You compact conversations. Write down what somebody must know to carry this one on, in few words and without
inventing anything: decisions, constraints, open questions, preferences and goals. Leave out the output of tools and raw logs.
Answer in plain text under these headings, each on a line of its own:

Summary:
Decisions:
Open Questions:
User Preferences:"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    text: str
    facts: dict[str, Any]
    """What metering needs: usage, provider, model, duration."""


def transcript_of(turns: Sequence[Turn]) -> str:
    """The turns as lines, empty parts left out; of a checkpoint only its summary."""
    lines = []
    for turn in turns:
        if turn.user_message and not turn.is_checkpoint:
            lines.append(f"User: {turn.user_message}")
        if turn.agent_response:
            lines.append(f"Assistant: {turn.agent_response}")
    return "\n".join(lines)


def summarize(
    journal: Journal,
    runnable: RunnableAgent,
    transcript: str,
    *,
    trace_id: UUID,
    deadline: Deadline,
    stop: StopSignal,
) -> Summary:
    """One summary's model call; its events carry `trace_id`. Raises `LLMError` when no model can be made to answer."""
    question = Question(
        system=PROMPT,
        messages=[LLMMessage(role="user", content=[LLMContentBlock.text(transcript)])],
        temperature=runnable.definition.compaction_temperature,
        trace_id=trace_id,
        needs_text=True,
    )
    began = time.monotonic()
    journal.add(asking_event(question, runnable.llm))
    journal.write()
    answer = ask_model(journal, runnable, question, deadline=deadline, stop=stop)
    duration_ms = milliseconds_since(began)
    journal.add(answered_event(question, answer, duration_ms=duration_ms))
    facts = {**name_of(answer.llm), "usage": answer.response.usage.as_dict(), "duration_ms": duration_ms}
    return Summary(text=answer.response.text.strip(), facts=facts)
