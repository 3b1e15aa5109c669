"""One think: asks the model and writes down what came of it (contract 5.4)."""

import time
from typing import Any

from agents.build import RunnableAgent
from agents.llm.types import LLMResponse
from agents.loop import LoopState, after_think
from agents.signals import tool_usage
from agents.stop_signal import StopSignal
from runtime.ask_model import (
    ModelAnswer,
    Question,
    answered_event,
    ask_model,
    asking_event,
    milliseconds_since,
    name_of,
)
from runtime.deadline import Deadline
from runtime.events import NewEvent
from runtime.journal import Journal
from runtime.kinds import EventKind


def think(
    journal: Journal, runnable: RunnableAgent, state: LoopState, *, context: str, deadline: Deadline, stop: StopSignal
) -> LoopState:
    """The state after the model has answered. Raises `LLMError` when it cannot be made to."""
    started = time.monotonic()
    question = question_of(runnable, state, context)
    journal.add(*started_events(runnable, question))
    journal.write()
    answer = ask_model(journal, runnable, question, deadline=deadline, stop=stop)
    duration_ms = milliseconds_since(started)
    state = after_think(state, answer.response)
    trace_id = str(journal.agent_request.trace_id)
    journal.add(answered_event(question, answer, duration_ms=duration_ms))
    journal.add(*completed_events(runnable, state, answer, duration_ms=duration_ms, trace_id=trace_id))
    return state


def question_of(runnable: RunnableAgent, state: LoopState, context: str) -> Question:
    definition = runnable.definition
    return Question(
        system=runnable.system_prompt(context),
        messages=list(state.messages),
        tools=runnable.tool_definitions,
        temperature=definition.temperature,
        use_prompt_caching=definition.prompt_caching_enabled,
        output_schema=dict(state.output_schema) if state.output_schema is not None else None,
        loop_index=state.loop_index,
    )


def started_events(runnable: RunnableAgent, question: Question) -> list[NewEvent]:
    index = question.loop_index
    return [
        NewEvent(event_type=EventKind.AGENT_THINK_START, loop_index=index, payload={"payload": {}}),
        NewEvent(event_type=EventKind.THINK_STARTED, loop_index=index, payload=name_of(runnable.llm)),
        asking_event(question, runnable.llm),
    ]


def completed_events(
    runnable: RunnableAgent, state: LoopState, answer: ModelAnswer, *, duration_ms: int, trace_id: str
) -> list[NewEvent]:
    index, response = state.loop_index, answer.response
    return [
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
                **name_of(answer.llm),
            },
        ),
    ]


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
