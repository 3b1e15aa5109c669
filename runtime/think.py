"""One think: asks the model, tries again when that may help, and writes down what came of it (contract 5.4, 5.9)."""

import time
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from agents.build import RunnableAgent
from agents.llm.call_ids import with_usable_ids
from agents.llm.errors import InvalidAnswer, LLMError
from agents.llm.types import LLMRequest, LLMResponse
from agents.loop import LoopState, after_think
from agents.signals import tool_usage
from runtime.deadline import Deadline
from runtime.errors import DeadlineExceeded
from runtime.events import NewEvent
from runtime.journal import Journal
from runtime.kinds import EventKind

MAX_RETRY_DELAY_S = 30.0
MAX_TOKENS_OF_A_CALL = 10**9
_backoff = wait_random_exponential(multiplier=0.5, max=MAX_RETRY_DELAY_S)


def think(
    journal: Journal, runnable: RunnableAgent, state: LoopState, *, context: str, deadline: Deadline
) -> LoopState:
    """The state after the model has answered. Raises `LLMError` when it cannot be made to."""
    started = time.monotonic()
    journal.add(*_started(runnable, state))
    journal.write()
    response = _ask(journal, runnable, state, context=context, deadline=deadline)
    duration_ms = _milliseconds(started)
    state = after_think(state, response)
    trace_id = str(journal.agent_request.trace_id)
    journal.add(*_completed(runnable, state, response, duration_ms=duration_ms, trace_id=trace_id))
    return state


def _ask(
    journal: Journal, runnable: RunnableAgent, state: LoopState, *, context: str, deadline: Deadline
) -> LLMResponse:
    """Calls the model until it answers; every failed call and every retry is an event."""
    definition = runnable.definition
    for attempt in Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, LLMError) and error.retryable),
        wait=_delay,
        stop=stop_after_attempt(definition.model_attempts),
        sleep=deadline.sleep,
        before_sleep=lambda call: _note_retry(journal, state.loop_index, call),
        reraise=True,
    ):
        with attempt:
            started = time.monotonic()
            timeout_s = min(float(definition.model_timeout_s), deadline.remaining_s())
            try:
                return _send(runnable, _request(runnable, state, context=context, timeout_s=timeout_s))
            except LLMError as error:
                journal.add(_failed(runnable, error, state.loop_index, _milliseconds(started)))
                if deadline.has_passed():
                    raise DeadlineExceeded("The request ran out of time while the model was asked.") from error
                raise
    raise AssertionError("Retrying ends by a return or a raise.")


def _send(runnable: RunnableAgent, request: LLMRequest) -> LLMResponse:
    """The model's answer in a shape that the log can keep; one that is not what its API promises is `InvalidAnswer`."""
    try:
        response = with_usable_ids(runnable.llm.send(request))
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, LLMError):
            raise
        raise InvalidAnswer("The provider's answer is not what its API promises.") from error
    counts = (response.usage.input_tokens or 0, response.usage.output_tokens or 0)
    if any(not 0 <= count <= MAX_TOKENS_OF_A_CALL for count in counts):
        raise InvalidAnswer("The provider's token counts make no sense.")
    return response


def _request(runnable: RunnableAgent, state: LoopState, *, context: str, timeout_s: float) -> LLMRequest:
    definition = runnable.definition
    return LLMRequest(
        model=runnable.llm.model,
        system=runnable.system_prompt(context),
        messages=list(state.messages),
        tools=runnable.tool_definitions,
        max_tokens=definition.max_tokens,
        temperature=definition.temperature,
        use_prompt_caching=definition.prompt_caching_enabled,
        timeout_s=timeout_s,
        app_id=runnable.agent_id,
    )


def _delay(call: RetryCallState) -> float:
    """What the provider asked for in `Retry-After`, else exponential backoff with full jitter; at most 30 s."""
    error = call.outcome.exception() if call.outcome else None
    wished = error.retry_after_s if isinstance(error, LLMError) else None
    return min(MAX_RETRY_DELAY_S, wished if wished is not None else _backoff(call))


def _note_retry(journal: Journal, loop_index: int, call: RetryCallState) -> None:
    error = call.outcome.exception() if call.outcome else None
    payload = {
        "attempt": call.attempt_number,
        "delay_s": round(call.upcoming_sleep, 3),
        "code": getattr(error, "code", "error"),
        "error": str(error),
    }
    journal.add(NewEvent(event_type=EventKind.LLM_RETRY, loop_index=loop_index, payload=payload))
    journal.write()


def _started(runnable: RunnableAgent, state: LoopState) -> list[NewEvent]:
    index = state.loop_index
    names = [tool.name for tool in runnable.tools.list_tools()]
    about = {"provider": runnable.llm.provider, "model": runnable.llm.model}
    # Counts, not the conversation: the log must not grow with its square (promise 7).
    sizes = {"message_count": len(state.messages), "tool_count": len(names)}
    return [
        NewEvent(event_type=EventKind.AGENT_THINK_START, loop_index=index, payload={"payload": {}}),
        NewEvent(event_type=EventKind.THINK_STARTED, loop_index=index, payload=about),
        NewEvent(
            event_type=EventKind.LLM_REQUEST_START,
            loop_index=index,
            payload={**about, "tools": names, "payload": sizes},
        ),
    ]


def _failed(runnable: RunnableAgent, error: LLMError, loop_index: int, duration_ms: int) -> NewEvent:
    payload = {
        "provider": runnable.llm.provider,
        "model": runnable.llm.model,
        "error": error.message,
        "error_code": error.code,
        "duration_ms": duration_ms,
        "payload": {},
    }
    return NewEvent(event_type=EventKind.LLM_REQUEST_ERROR, loop_index=loop_index, payload=payload)


def _completed(
    runnable: RunnableAgent, state: LoopState, response: LLMResponse, *, duration_ms: int, trace_id: str
) -> list[NewEvent]:
    index = state.loop_index
    return [
        NewEvent(
            event_type=EventKind.LLM_REQUEST_COMPLETE,
            loop_index=index,
            payload=_request_complete(runnable, response, duration_ms),
        ),
        NewEvent(
            event_type=EventKind.AGENT_THINK_COMPLETE,
            loop_index=index,
            payload=_think_complete(state, response, duration_ms),
        ),
        NewEvent(
            event_type=EventKind.THINK_COMPLETED,
            loop_index=index,
            key=f"llm.think.{index}",
            is_step=True,
            payload={
                "action_type": state.action_type,
                "assistant_text": response.text or None,
                "assistant_blocks": [block.as_dict() for block in response.content_blocks],
                "stop_reason": response.stop_reason,
                "tool_calls": [call.as_dict() for call in response.tool_calls],
                "token_usage": _token_usage(response),
                "usage": response.usage.as_dict(),
                "provider": runnable.llm.provider,
                "model": runnable.llm.model,
                "tool_usage": tool_usage(runnable.tool_definitions, state.invocations),
                "duration_ms": duration_ms,
                "trace_id": trace_id,
            },
        ),
    ]


def _request_complete(runnable: RunnableAgent, response: LLMResponse, duration_ms: int) -> dict[str, Any]:
    usage = response.usage
    return {
        "provider": runnable.llm.provider,
        "model": runnable.llm.model,
        "duration_ms": duration_ms,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "finish_reason": response.stop_reason,
        "tools": [tool.name for tool in runnable.tools.list_tools()],
        "payload": {},
    }


def _think_complete(state: LoopState, response: LLMResponse, duration_ms: int) -> dict[str, Any]:
    detail = [{"name": call.name, "arguments": call.arguments} for call in response.tool_calls]
    return {
        "duration_ms": duration_ms,
        "action_type": state.action_type,
        "tool_calls": [call.name for call in response.tool_calls],
        "token_usage": _token_usage(response),
        "payload": {"tool_calls_detail": detail, "assistant_text": _one_line(response.text)},
    }


def _token_usage(response: LLMResponse) -> dict[str, int]:
    return {"input": response.usage.input_tokens or 0, "output": response.usage.output_tokens or 0}


def _one_line(text: str, limit: int = 240) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
