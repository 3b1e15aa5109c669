"""Hands a step's work to subagents: each is an ordinary request that the parent waits for (contract 3.6, 5.11)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from agents.build import RunnableAgent
from agents.identifiers import subagent_session_id
from agents.llm.types import LLMToolCall
from agents.loop import LoopState
from agents.tools.base import ToolResult
from agents.tools.subagent import DEFAULT_TIMEOUT_MS
from runtime import events, tool_events
from runtime.accept import insert_request
from runtime.act import finish_call
from runtime.cancel import cancel_request, parent_name
from runtime.delegation_results import Delegation, child_result, failure, timeout
from runtime.journal import Journal
from runtime.kinds import EventKind, Reason, Status
from runtime.models import AgentRequest
from runtime.resume import resume_request
from workspaces.errors import MashError

_MAX_TIMEOUT_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Children that have not ended, and when the first of them runs out of time."""

    request_ids: tuple[str, ...]
    until: datetime | None


def delegate(
    journal: Journal, runnable: RunnableAgent, state: LoopState, calls: Iterable[LLMToolCall]
) -> tuple[LoopState, Waiting]:
    """Starts what is not started yet, and takes in what has ended. Each call has one child, whatever crashes."""
    waiting: list[tuple[str, datetime]] = []
    for place, call in enumerate(calls):
        result, child = _advance(journal, runnable, state, call, place)
        if result is None and child is not None:
            waiting.append((str(child.request_id), _ends_at(child)))
        elif result is not None:
            duration_ms = round((timezone.now() - child.accepted_at).total_seconds() * 1000) if child else 0
            state = finish_call(
                journal, state, call, result, duration_ms=duration_ms, kind=EventKind.SUBAGENT_COMPLETED
            )
    until = min((ends_at for _, ends_at in waiting), default=None)
    return state, Waiting(tuple(request_id for request_id, _ in waiting), until)


def _advance(
    journal: Journal, runnable: RunnableAgent, state: LoopState, call: LLMToolCall, place: int
) -> tuple[ToolResult | None, AgentRequest | None]:
    """The call's result once there is one, and its child if it has one."""
    parent = journal.agent_request
    child = parent.children.filter(parent_call=_call_key(state, call)).with_agent().first()
    if child is None:
        if fault := _fault(call):
            return fault, None
        order = Delegation.read(call, parent)
        if order.agent_id not in runnable.subagents:
            known = ", ".join(sorted(runnable.subagents))
            return failure(order, None, f"There is no subagent {order.agent_id!r} here. There are: {known}."), None
        if place >= runnable.definition.max_fan_out:
            limit = runnable.definition.max_fan_out
            text = f"One step may delegate {limit} times at most."
            return failure(order, None, text, code="fan_out_exceeded", retryable=True), None
        return None, _spawn(journal, state, call, order)
    return _look(parent, child, Delegation.read(call, parent)), child


def _look(parent: AgentRequest, child: AgentRequest, order: Delegation) -> ToolResult | None:
    """What came of the child; one that ended with an earlier run of its parent goes on with this one."""
    is_ours = child.status == Status.CANCELLED and child.cancelled_by == parent_name(parent)
    if child.is_terminal and not is_ours:
        return child_result(order, child)
    if (child.finished_at or timezone.now()) >= _ends_at(child):
        cancel_request(child, reason=Reason.CANCELLED, by=parent_name(parent))
        return timeout(order, child)
    if is_ours:
        try:
            resume_request(child, by=parent_name(parent))
        except MashError:
            return child_result(order, child)
    return None


def _spawn(journal: Journal, state: LoopState, call: LLMToolCall, order: Delegation) -> AgentRequest:
    """The call's first event and its child, in one transaction."""
    parent = journal.agent_request
    agent = parent.workspace.agents.select_related("current_version").get(agent_id=order.agent_id)
    with transaction.atomic():
        events.append(parent, [*journal.pending, *tool_events.started(state.loop_index, call)], parent.attempt)
        child = insert_request(
            AgentRequest(
                workspace=parent.workspace,
                agent=agent,
                agent_version=agent.current_version,
                session_id=subagent_session_id(parent.agent.agent_id, parent.session_id, order.agent_id),
                message=order.prompt,
                user=parent.user,
                metadata=parent.metadata,
                created_by=parent.created_by,
                parent=parent,
                parent_call=_call_key(state, call),
                depth=parent.depth + 1,
                invoke_options=order.options,
            )
        )
    journal.pending = []
    return child


def _fault(call: LLMToolCall) -> ToolResult | None:
    """Arguments that make no delegation (contract 5.11)."""
    if call.invalid_arguments is not None:
        return ToolResult.error(f"The arguments are not valid JSON: {call.invalid_arguments[:200]}")
    for name in ("agent_id", "prompt"):
        value = call.arguments.get(name)
        if not isinstance(value, str) or not value.strip():
            return ToolResult.error(f"{name} must be a text that is not blank.")
    if not isinstance(call.arguments.get("opts", {}), dict):
        return ToolResult.error("opts must be an object.")
    return None


def _call_key(state: LoopState, call: LLMToolCall) -> str:
    return f"{state.loop_index}.{call.id}"


def _ends_at(child: AgentRequest) -> datetime:
    """`opts.timeout_ms` after the child's run began; anything but a positive integer means the default."""
    wished = (child.invoke_options or {}).get("timeout_ms")
    is_usable = isinstance(wished, int) and not isinstance(wished, bool) and wished > 0
    milliseconds = min(wished, _MAX_TIMEOUT_MS) if is_usable and wished else DEFAULT_TIMEOUT_MS
    return child.run_began_at + timedelta(milliseconds=milliseconds)
