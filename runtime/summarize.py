"""Asks the agent's model for the summary that stands for earlier turns (contract 5.8)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from agents.build import RunnableAgent
from agents.llm.errors import CallStopped, InvalidAnswer, LLMError
from agents.llm.types import LLMContentBlock, LLMMessage, LLMRequest, LLMResponse
from agents.memory.models import Turn
from agents.stop_signal import StopSignal
from runtime.ask_model import milliseconds_since, name_of, send_checked
from runtime.deadline import Deadline
from runtime.events import NewEvent
from runtime.journal import Journal
from runtime.kinds import EventKind

PROMPT = """You compact conversations. Write down what somebody must know to carry this one on, in few words and without
inventing anything: decisions, constraints, open questions, preferences and goals. Leave out the output of tools and raw logs.
Answer in plain text under these headings, each on a line of its own:

Summary:
Decisions:
Open Questions:
User Preferences:"""
_backoff = wait_random_exponential(multiplier=0.5, max=10)


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


class Summarizer:
    """One summary's model call with its retries; its events carry a trace id of their own."""

    def __init__(
        self, journal: Journal, runnable: RunnableAgent, *, trace_id: UUID, deadline: Deadline, stop: StopSignal
    ) -> None:
        self._journal, self._runnable, self._trace_id = journal, runnable, trace_id
        self._deadline, self._stop = deadline, stop
        self._about = name_of(runnable.llm)

    def summarize(self, transcript: str) -> Summary:
        """Raises `LLMError` when the model cannot be made to answer."""
        self._add(EventKind.LLM_REQUEST_START, {"tools": [], "payload": {"message_count": 1, "tool_count": 0}})
        self._journal.write()
        began = time.monotonic()
        for attempt in Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, LLMError) and error.retryable),
            wait=_backoff,
            stop=stop_after_attempt(self._runnable.definition.model_attempts),
            sleep=self._pause,
            reraise=True,
        ):
            with attempt:
                response = self._ask(transcript)
        duration_ms = milliseconds_since(began)
        self._add(EventKind.LLM_REQUEST_COMPLETE, _complete(response, duration_ms))
        facts = {**self._about, "usage": response.usage.as_dict(), "duration_ms": duration_ms}
        return Summary(text=response.text.strip(), facts=facts)

    def _ask(self, transcript: str) -> LLMResponse:
        began = time.monotonic()
        try:
            return self._send(transcript)
        except LLMError as error:
            about = {"error": error.message, "error_code": error.code, "duration_ms": milliseconds_since(began)}
            self._add(EventKind.LLM_REQUEST_ERROR, {**about, "payload": {}})
            raise

    def _send(self, transcript: str) -> LLMResponse:
        definition = self._runnable.definition
        request = LLMRequest(
            model=self._runnable.llm.model,
            system=PROMPT,
            messages=[LLMMessage(role="user", content=[LLMContentBlock.text(transcript)])],
            max_tokens=definition.max_tokens,
            temperature=definition.compaction_temperature,
            use_prompt_caching=False,
            timeout_s=min(float(definition.model_timeout_s), self._deadline.remaining_s()),
            app_id=self._runnable.agent_id,
            stop=self._stop,
        )
        response = send_checked(self._runnable.llm, request)
        if not response.text.strip():
            raise InvalidAnswer("The model gave no summary.")
        return response

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(min(seconds, self._deadline.remaining_s())):
            raise CallStopped("The call was stopped before the model was asked again.")

    def _add(self, event_type: EventKind, payload: dict[str, Any]) -> None:
        event = NewEvent(event_type=event_type, payload={**self._about, **payload}, trace_id=self._trace_id)
        self._journal.add(event)


def _complete(response: LLMResponse, duration_ms: int) -> dict[str, Any]:
    usage = response.usage
    return {
        "duration_ms": duration_ms,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "finish_reason": response.stop_reason,
        "tools": [],
        "payload": {},
    }
