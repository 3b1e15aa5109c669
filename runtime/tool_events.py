"""What the log says of a tool call (contract 3.3, 3.4)."""

from agents.llm.types import LLMToolCall
from agents.tools.base import ToolResult
from runtime.events import NewEvent
from runtime.kinds import EventKind

_PREVIEW_CHARACTERS = 200


def started(loop_index: int, call: LLMToolCall) -> list[NewEvent]:
    about = {"tool_name": call.name, "tool_call_id": call.id, "tool_arguments": call.arguments}
    return [
        NewEvent(event_type=EventKind.AGENT_TOOL_CALL, loop_index=loop_index, payload={"payload": about}),
        NewEvent(event_type=EventKind.TOOL_STARTED, loop_index=loop_index, payload=about),
    ]


def interrupted(loop_index: int, call: LLMToolCall) -> NewEvent:
    about = {"tool_call_id": call.id, "tool_name": call.name}
    return NewEvent(event_type=EventKind.TOOL_INTERRUPTED, loop_index=loop_index, payload=about)


def result(loop_index: int, call: LLMToolCall, result: ToolResult) -> NewEvent:
    about = {
        "tool_name": call.name,
        "tool_call_id": call.id,
        "is_error": result.is_error,
        "content_length": len(result.content),
        "content_preview": result.content[:_PREVIEW_CHARACTERS],
        "metadata": result.metadata,
    }
    return NewEvent(event_type=EventKind.AGENT_TOOL_RESULT, loop_index=loop_index, payload={"payload": about})


def completed(loop_index: int, call: LLMToolCall, result: ToolResult, *, duration_ms: int, kind: EventKind) -> NewEvent:
    return NewEvent(
        event_type=kind,
        loop_index=loop_index,
        key=f"tool.call.{loop_index}.{call.id}",
        is_step=True,
        payload={
            "tool_call_id": call.id,
            "tool_name": call.name,
            "duration_ms": duration_ms,
            "result": {"content": result.content, "is_error": result.is_error, "metadata": result.metadata},
        },
    )
