"""Calls the model until it answers: again when that may help, and then the fallback (contract 5.9)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_random_exponential

from agents.build import RunnableAgent
from agents.llm.call_ids import with_usable_ids
from agents.llm.errors import CallStopped, InvalidAnswer, LLMError, Overloaded, Unreachable
from agents.llm.types import JSONObject, LLMMessage, LLMProvider, LLMRequest, LLMResponse, LLMToolDefinition, OnText
from agents.stop_signal import StopSignal
from runtime.deadline import Deadline
from runtime.deltas import SpokenText, speaking
from runtime.errors import DeadlineExceeded
from runtime.events import NewEvent
from runtime.journal import Journal
from runtime.kinds import EventKind

MAX_RETRY_DELAY_S = 30.0
MAX_TOKENS_OF_A_CALL = 10**9
# A provider that is down gets one more chance, where another one can answer instead.
ATTEMPTS_WHEN_DOWN = 2
_backoff = wait_random_exponential(multiplier=0.5, max=MAX_RETRY_DELAY_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked, whichever model it is asked of."""

    system: str | list[JSONObject] | None
    messages: list[LLMMessage]
    temperature: float
    tools: list[LLMToolDefinition] = field(default_factory=list)
    use_prompt_caching: bool = False
    output_schema: JSONObject | None = None
    loop_index: int | None = None
    """The step of the turn that asks, whose text is told live; None: work beside the turn."""
    trace_id: UUID | None = None
    """Of the events, where it is not the request's."""
    needs_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswer:
    response: LLMResponse
    llm: LLMProvider
    """Who gave it: the agent's model or its fallback."""


def ask_model(
    journal: Journal, runnable: RunnableAgent, question: Question, *, deadline: Deadline, stop: StopSignal
) -> ModelAnswer:
    """The answer of the agent's model or, when that one is down, of its fallback. Raises `LLMError` when neither gives one."""
    call = _Call(journal, runnable, question, deadline=deadline, stop=stop)
    try:
        return call.until_answered(runnable.llm, has_substitute=runnable.fallback_llm is not None)
    except LLMError as error:
        if runnable.fallback_llm is None or not error.retryable:
            raise
        call.note_fallback(runnable.llm, runnable.fallback_llm, error)
        return call.until_answered(runnable.fallback_llm)


def asking_event(question: Question, llm: LLMProvider) -> NewEvent:
    # Counts, not the conversation: the log must not grow with its square (promise 7).
    sizes = {"message_count": len(question.messages), "tool_count": len(question.tools)}
    names = [tool.name for tool in question.tools]
    return _event(question, EventKind.LLM_REQUEST_START, {**name_of(llm), "tools": names, "payload": sizes})


def answered_event(question: Question, answer: ModelAnswer, *, duration_ms: int) -> NewEvent:
    usage = answer.response.usage
    payload: dict[str, Any] = {
        **name_of(answer.llm),
        "duration_ms": duration_ms,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "finish_reason": answer.response.stop_reason,
        "tools": [tool.name for tool in question.tools],
        "payload": {},
    }
    return _event(question, EventKind.LLM_REQUEST_COMPLETE, payload)


def _event(question: Question, event_type: EventKind, payload: dict[str, Any]) -> NewEvent:
    return NewEvent(event_type=event_type, loop_index=question.loop_index, trace_id=question.trace_id, payload=payload)


def name_of(llm: LLMProvider) -> dict[str, str]:
    return {"provider": llm.provider, "model": llm.model}


def milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


class _Call:
    """One question to a model; every failed call and every retry of it is an event."""

    def __init__(
        self,
        journal: Journal,
        runnable: RunnableAgent,
        question: Question,
        *,
        deadline: Deadline,
        stop: StopSignal,
    ) -> None:
        self._journal = journal
        self._runnable = runnable
        self._question = question
        self._deadline = deadline
        self._stop = stop
        self._made = 0

    def until_answered(self, llm: LLMProvider, *, has_substitute: bool = False) -> ModelAnswer:
        for attempt in Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, LLMError) and error.retryable),
            wait=_delay,
            stop=lambda call: call.attempt_number >= self._most_attempts(call, has_substitute),
            sleep=self._pause,
            before_sleep=self._note_retry,
            reraise=True,
        ):
            with attempt:
                return ModelAnswer(response=self._ask_once(llm), llm=llm)
        raise AssertionError("Retrying ends by a return or a raise.")

    def note_fallback(self, down: LLMProvider, fallback: LLMProvider, error: LLMError) -> None:
        payload = {"from": name_of(down), "to": name_of(fallback), "code": error.code, "error": error.message}
        self._add(EventKind.LLM_FALLBACK, payload)
        self._journal.write()

    def _ask_once(self, llm: LLMProvider) -> LLMResponse:
        started = time.monotonic()
        self._made += 1
        spoken: SpokenText | None = None
        try:
            with self._listening() as spoken:
                request = self._request(llm, spoken.say if spoken else None)
                return _send_checked(llm, request, needs_text=self._question.needs_text)
        except LLMError as error:
            about = {"error": error.message, "error_code": error.code, "duration_ms": milliseconds_since(started)}
            if spoken and (text := spoken.so_far()):
                about["partial_text"] = text
            self._add(EventKind.LLM_REQUEST_ERROR, {**name_of(llm), **about, "payload": {}})
            if self._deadline.has_passed():
                raise DeadlineExceeded("The request ran out of time while the model was asked.") from error
            raise

    @contextmanager
    def _listening(self) -> Iterator[SpokenText | None]:
        if self._question.loop_index is None:
            yield None
            return
        agent_request, loop_index = self._journal.agent_request, self._question.loop_index
        with speaking(agent_request, loop_index=loop_index, attempt=self._made) as text:
            yield text

    def _request(self, llm: LLMProvider, on_text: OnText | None) -> LLMRequest:
        definition, question = self._runnable.definition, self._question
        return LLMRequest(
            model=llm.model,
            system=question.system,
            messages=question.messages,
            tools=question.tools,
            max_tokens=definition.max_tokens,
            temperature=question.temperature,
            use_prompt_caching=question.use_prompt_caching,
            timeout_s=min(float(definition.model_timeout_s), self._deadline.remaining_s()),
            app_id=self._runnable.agent_id,
            on_text=on_text,
            stop=self._stop,
            output_schema=question.output_schema,
        )

    def _most_attempts(self, call: RetryCallState, has_substitute: bool) -> int:
        most = self._runnable.definition.model_attempts
        is_down = isinstance(_error_of(call), (Unreachable, Overloaded))
        return min(most, ATTEMPTS_WHEN_DOWN) if has_substitute and is_down else most

    def _pause(self, seconds: float) -> None:
        if seconds >= self._deadline.remaining_s():
            raise DeadlineExceeded("The request would run out of time before the model can be asked again.")
        if self._stop.wait(seconds):
            raise CallStopped("The call was stopped before the model was asked again.")

    def _note_retry(self, call: RetryCallState) -> None:
        error = _error_of(call)
        payload = {
            "attempt": call.attempt_number,
            "delay_s": round(call.upcoming_sleep, 3),
            "code": getattr(error, "code", "error"),
            "error": str(error),
        }
        self._add(EventKind.LLM_RETRY, payload)
        self._journal.write()

    def _add(self, event_type: EventKind, payload: dict[str, Any]) -> None:
        self._journal.add(_event(self._question, event_type, payload))


def _send_checked(llm: LLMProvider, request: LLMRequest, *, needs_text: bool) -> LLMResponse:
    """The model's answer in a shape that the log can keep; one that is not what its API promises is `InvalidAnswer`."""
    try:
        response = with_usable_ids(llm.send(request))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, LLMError):
            raise
        raise InvalidAnswer("The provider's answer is not what its API promises.") from error
    counts = (response.usage.input_tokens or 0, response.usage.output_tokens or 0)
    if any(not 0 <= count <= MAX_TOKENS_OF_A_CALL for count in counts):
        raise InvalidAnswer("The provider's token counts make no sense.")
    if needs_text and not response.text.strip():
        raise InvalidAnswer("The model answered without any text.")
    return response


def _delay(call: RetryCallState) -> float:
    """What the provider asked for in `Retry-After`, else exponential backoff with full jitter; at most 30 s."""
    error = _error_of(call)
    wished = error.retry_after_s if isinstance(error, LLMError) else None
    return min(MAX_RETRY_DELAY_S, wished if wished is not None else _backoff(call))


def _error_of(call: RetryCallState) -> BaseException | None:
    return call.outcome.exception() if call.outcome else None
