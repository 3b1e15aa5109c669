"""Runs tool calls: each started in the log before the work, finished after it, and never run twice (promise 3)."""

import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass

from agents.build import RunnableAgent
from agents.llm.types import LLMToolCall
from agents.loop import LoopState, after_tool
from agents.stop_signal import StopSignal
from agents.tools.ask_user import ASK_USER
from agents.tools.base import ToolResult
from agents.tools.call import call_tool
from agents.tools.context import ToolContext
from runtime import tool_events
from runtime.events import NewEvent
from runtime.interactions.answers import result_of_question
from runtime.interactions.within_call import CallQuestions
from runtime.journal import Journal
from runtime.kinds import EventKind

MOST_AT_ONCE = 8
INTERRUPTED = "Interrupted: the worker stopped while this tool ran, and its outcome is unknown."
_REFUSED = "A person did not approve this call, so it was not run."


def act(
    journal: Journal, runnable: RunnableAgent, state: LoopState, calls: Iterable[LLMToolCall], *, stop: StopSignal
) -> LoopState:
    """The state after the calls. One that a lost worker had begun follows the tool's crash policy."""
    to_run: list[LLMToolCall] = []
    for call in calls:
        result = known_result(state, call)
        if result is None and call.name in runnable.tools:
            to_run.append(call)
            continue
        # A tool that does not exist leaves one event only (contract 3.5).
        is_told = call.name in runnable.tools
        result = result or _run(journal, runnable, state, call, stop).result
        state = finish_call(journal, state, call, result, duration_ms=0, is_told=is_told)
    return _run_all(journal, runnable, state, to_run, stop) if to_run else state


def known_result(state: LoopState, call: LLMToolCall) -> ToolResult | None:
    """The result of a call that is not run: answered, refused, or interrupted with an unknown outcome."""
    answer = state.answers.get(call.id)
    if call.id in state.interrupted:
        return ToolResult.error(INTERRUPTED)
    if answer is None:
        return None
    if call.name == ASK_USER:
        return result_of_question(answer)
    if call.id in state.begun_before and not answer.is_approval:
        return ToolResult.error(f"{INTERRUPTED} It was not run again.", denied=True)
    if not answer.is_approval:
        text = (
            f"{_REFUSED} {answer.note}".strip()
            if answer.state == "answered"
            else f"{_REFUSED} Nobody answered in time."
        )
        return ToolResult.error(text, denied=True)
    return None


def _run_all(
    journal: Journal, runnable: RunnableAgent, state: LoopState, calls: list[LLMToolCall], stop: StopSignal
) -> LoopState:
    for call in calls:
        journal.add(*tool_events.started(state.loop_index, call))
    journal.write()
    begun = time.monotonic()
    if len(calls) == 1:
        ran = _run(journal, runnable, state, calls[0], stop)
        return _take(journal, state, ran, begun)
    with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="calls") as pool:
        running = {pool.submit(_run, journal, runnable, state, call, stop) for call in calls}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                state = _take(journal, state, future.result(), begun)
            if running and not stop.is_set():
                # What is done stays done, should this worker die while the others run.
                journal.write()
    return state


@dataclass(frozen=True, slots=True)
class _Ran:
    call: LLMToolCall
    result: ToolResult
    emitted: tuple[NewEvent, ...]
    """What the tool told of itself. A tool that outlives its time may go on telling, and is no longer heard."""


def _run(journal: Journal, runnable: RunnableAgent, state: LoopState, call: LLMToolCall, stop: StopSignal) -> _Ran:
    agent_request, emitted = journal.agent_request, list[NewEvent]()
    context = ToolContext(
        workspace=agent_request.workspace.slug,
        agent_id=runnable.agent_id,
        session_id=agent_request.session_id,
        request_id=str(agent_request.request_id),
        idempotency_key=f"{agent_request.request_id}:{state.loop_index}:{call.id}",
        user=agent_request.user,
        metadata=agent_request.metadata,
        stop=stop,
        emit=lambda event_type, payload: emitted.append(NewEvent(event_type=EventKind(event_type), payload=payload)),
        ask=CallQuestions(agent_request, state.loop_index, call, stop).ask,
    )
    result = call_tool(
        runnable.tools, call.name, call.arguments, invalid_arguments=call.invalid_arguments, context=context
    )
    return _Ran(call, result, tuple(emitted))


def _take(journal: Journal, state: LoopState, ran: _Ran, begun: float) -> LoopState:
    journal.add(*ran.emitted)
    duration_ms = round((time.monotonic() - begun) * 1000)
    return finish_call(journal, state, ran.call, ran.result, duration_ms=duration_ms)


def finish_call(
    journal: Journal,
    state: LoopState,
    call: LLMToolCall,
    result: ToolResult,
    *,
    duration_ms: int,
    is_told: bool = True,
    kind: EventKind = EventKind.TOOL_COMPLETED,
) -> LoopState:
    """Notes the result, to be written at the next boundary."""
    if call.id in state.interrupted:
        journal.add(tool_events.interrupted(state.loop_index, call))
    if is_told:
        journal.add(tool_events.result(state.loop_index, call, result))
    journal.add(tool_events.completed(state.loop_index, call, result, duration_ms=duration_ms, kind=kind))
    return after_tool(state, call, result)
