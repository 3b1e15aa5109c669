"""The signals of a turn that has ended by itself (contract 6.6)."""

from typing import Any

from agents import signals
from agents.build import RunnableAgent
from agents.loop import LoopState
from runtime import events
from runtime.models import AgentRequest


def collect_signals(
    agent_request: AgentRequest, runnable: RunnableAgent, state: LoopState, *, text: str
) -> dict[str, Any]:
    """What the registered collectors say of it, as the log and the turn can keep it."""
    results = [block.data for message in state.messages if message.role == "tool" for block in message.content]
    event = signals.SignalEvent(
        context={
            "messages": [message.as_dict() for message in state.messages],
            "agent_id": runnable.agent_id,
            "session_id": agent_request.session_id,
            "user": agent_request.user,
        },
        action={"type": "finish", "text": text},
        results=results,
        tool_usage=signals.tool_usage(runnable.tool_definitions, state.invocations),
    )
    collected: dict[str, Any] = events.storable(signals.collect(event))
    return collected
