"""Calls the model until it answers: again when that may help, and then the fallback (contract 5.9)."""

import time
from dataclasses import dataclass
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_random_exponential

from agents.build import RunnableAgent
from agents.llm.call_ids import with_usable_ids
from agents.llm.errors import CallStopped, InvalidAnswer, LLMError, Overloaded, Unreachable
from agents.llm.types import LLMProvider, LLMRequest, LLMResponse, OnText
from agents.loop import LoopState
from agents.stop_signal import StopSignal
from runtime.deadline import Deadline
from runtime.deltas import speaking
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
class ModelAnswer:
    response: LLMResponse
    llm: LLMProvider
    """Who gave it: the agent's model or its fallback."""


def ask_model(
    journal: Journal, runnable: RunnableAgent, state: LoopState, *, context: str, deadline: Deadline, stop: StopSignal
) -> ModelAnswer:
    """The answer of the agent's model or, when that one is down, of its fallback."""
    call = _Call(journal, runnable, state, context=context, deadline=deadline, stop=stop)
    try:
        return call.until_answered(runnable.llm, has_substitute=runnable.fallback_llm is not None)
    except LLMError as error:
        if runnable.fallback_llm is None or not error.retryable:
            raise
        call.note_fallback(runnable.llm, runnable.fallback_llm, error)
        return call.until_answered(runnable.fallback_llm)


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
        state: LoopState,
        *,
        context: str,
        deadline: Deadline,
        stop: StopSignal,
    ) -> None:
        self._journal = journal
        self._runnable = runnable
        self._state = state
        self._context = context
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
        agent_request, loop_index = self._journal.agent_request, self._state.loop_index
        try:
            with speaking(agent_request, loop_index=loop_index, attempt=self._made) as text:
                return send_checked(llm, self._request(llm, text.say))
        except LLMError as error:
            about = {"error": error.message, "error_code": error.code, "duration_ms": milliseconds_since(started)}
            self._add(EventKind.LLM_REQUEST_ERROR, {**name_of(llm), **about, "payload": {}})
            if self._deadline.has_passed():
                raise DeadlineExceeded("The request ran out of time while the model was asked.") from error
            raise

    def _request(self, llm: LLMProvider, on_text: OnText) -> LLMRequest:
        definition, state = self._runnable.definition, self._state
        return LLMRequest(
            model=llm.model,
            system=self._runnable.system_prompt(self._context),
            messages=list(state.messages),
            tools=self._runnable.tool_definitions,
            max_tokens=definition.max_tokens,
            temperature=definition.temperature,
            use_prompt_caching=definition.prompt_caching_enabled,
            timeout_s=min(float(definition.model_timeout_s), self._deadline.remaining_s()),
            app_id=self._runnable.agent_id,
            on_text=on_text,
            stop=self._stop,
            output_schema=dict(state.output_schema) if state.output_schema is not None else None,
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
        self._journal.add(NewEvent(event_type=event_type, loop_index=self._state.loop_index, payload=payload))


def send_checked(llm: LLMProvider, request: LLMRequest) -> LLMResponse:
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
    return response


def _delay(call: RetryCallState) -> float:
    """What the provider asked for in `Retry-After`, else exponential backoff with full jitter; at most 30 s."""
    error = _error_of(call)
    wished = error.retry_after_s if isinstance(error, LLMError) else None
    return min(MAX_RETRY_DELAY_S, wished if wished is not None else _backoff(call))


def _error_of(call: RetryCallState) -> BaseException | None:
    return call.outcome.exception() if call.outcome else None
