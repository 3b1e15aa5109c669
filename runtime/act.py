"""One tool call: started in the log before the work, finished after it, and never run twice (promise 3)."""

import time

from agents.build import RunnableAgent
from agents.llm.types import LLMToolCall
from agents.loop import LoopState, after_tool
from agents.tools.base import ToolResult
from agents.tools.call import call_tool
from agents.tools.context import ToolContext
from runtime.events import NewEvent
from runtime.journal import Journal
from runtime.kinds import EventKind

_PREVIEW_CHARACTERS = 200


def act(
    journal: Journal, runnable: RunnableAgent, state: LoopState, call: LLMToolCall, *, was_interrupted: bool
) -> LoopState:
    """The state after the call. One that a lost worker had begun follows the tool's crash policy."""
    tool = runnable.tools.get(call.name)
    if tool is None:
        return _finished(journal, state, call, _run(journal, runnable, state, call), duration_ms=0, told=False)
    if was_interrupted and tool.crash_policy == "at_most_once":
        return _interrupted(journal, state, call)
    journal.add(*_started(state, call))
    journal.write()
    begun = time.monotonic()
    result = _run(journal, runnable, state, call)
    return _finished(journal, state, call, result, duration_ms=round((time.monotonic() - begun) * 1000))


def _run(journal: Journal, runnable: RunnableAgent, state: LoopState, call: LLMToolCall) -> ToolResult:
    agent_request = journal.agent_request
    context = ToolContext(
        workspace=agent_request.workspace.slug,
        agent_id=runnable.agent_id,
        session_id=agent_request.session_id,
        request_id=str(agent_request.request_id),
        idempotency_key=f"{agent_request.request_id}:{state.loop_index}:{call.id}",
        user=agent_request.user,
        metadata=agent_request.metadata,
    )
    return call_tool(
        runnable.tools, call.name, call.arguments, invalid_arguments=call.invalid_arguments, context=context
    )


def _interrupted(journal: Journal, state: LoopState, call: LLMToolCall) -> LoopState:
    result = ToolResult.error("Interrupted: the worker stopped while this tool ran, and its outcome is unknown.")
    about = {"tool_call_id": call.id, "tool_name": call.name}
    journal.add(NewEvent(event_type=EventKind.TOOL_INTERRUPTED, loop_index=state.loop_index, payload=about))
    return _finished(journal, state, call, result, duration_ms=0)


def _started(state: LoopState, call: LLMToolCall) -> list[NewEvent]:
    about = {"tool_name": call.name, "tool_call_id": call.id, "tool_arguments": call.arguments}
    return [
        NewEvent(event_type=EventKind.AGENT_TOOL_CALL, loop_index=state.loop_index, payload={"payload": about}),
        NewEvent(event_type=EventKind.TOOL_STARTED, loop_index=state.loop_index, payload=about),
    ]


def _finished(
    journal: Journal, state: LoopState, call: LLMToolCall, result: ToolResult, *, duration_ms: int, told: bool = True
) -> LoopState:
    about = {
        "tool_name": call.name,
        "tool_call_id": call.id,
        "is_error": result.is_error,
        "content_length": len(result.content),
        "content_preview": result.content[:_PREVIEW_CHARACTERS],
        "metadata": result.metadata,
    }
    if told:
        journal.add(
            NewEvent(event_type=EventKind.AGENT_TOOL_RESULT, loop_index=state.loop_index, payload={"payload": about})
        )
    journal.add(
        NewEvent(
            event_type=EventKind.TOOL_COMPLETED,
            loop_index=state.loop_index,
            key=f"tool.call.{state.loop_index}.{call.id}",
            is_step=True,
            payload={
                "tool_call_id": call.id,
                "tool_name": call.name,
                "duration_ms": duration_ms,
                "result": {"content": result.content, "is_error": result.is_error, "metadata": result.metadata},
            },
        )
    )
    return after_tool(state, call, result)
