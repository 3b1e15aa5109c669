"""What a parent's model is told of a delegation (contract 4.4, 5.11)."""

import json
from dataclasses import dataclass
from typing import Any, Self

from django.utils import timezone

from agents.identifiers import subagent_session_id
from agents.llm.types import LLMToolCall
from agents.loop import MAX_STEPS_PREFIX
from agents.tools.base import ToolResult
from runtime.events import storable
from runtime.kinds import Status
from runtime.models import AgentRequest
from runtime.public import completed_data


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """One call of `InvokeSubagent`, its arguments checked."""

    agent_id: str
    prompt: str
    options: dict[str, Any]
    primary_session_id: str
    primary_app_id: str
    subagent_session_id: str

    @classmethod
    def read(cls, call: LLMToolCall, parent: AgentRequest) -> Self:
        agent_id, app_id = call.arguments["agent_id"].strip(), parent.agent.agent_id
        return cls(
            agent_id=agent_id,
            prompt=storable(call.arguments["prompt"]),
            options=storable(call.arguments.get("opts") or {}),
            primary_session_id=parent.session_id,
            primary_app_id=app_id,
            subagent_session_id=subagent_session_id(app_id, parent.session_id, agent_id),
        )


def child_result(order: Delegation, child: AgentRequest) -> ToolResult:
    """The answer of a child that has ended, or what kept it from one."""
    child.refresh_from_db()
    ended = completed_data(child)
    if ended is None:
        return failure(order, child, "The subagent's log has no end.", source="stream")
    return result_of_end(order, child, ended[1])


def result_of_end(order: Delegation, child: AgentRequest, body: dict[str, Any]) -> ToolResult:
    """The same, given what the child's terminal event says."""
    if child.status != Status.COMPLETED:
        error = child.error or {"error": "The subagent's request was cancelled.", "error_code": "cancelled"}
        return failure(
            order,
            child,
            error["error"],
            error_type=error.get("error_type"),
            code=error.get("error_code"),
            retryable=error.get("retryable"),
        )
    response = body.get("response") or {}
    text = response.get("text", "")
    if not text.strip():
        return _useless(order, child, "The subagent's answer is empty.", "empty_response")
    if text.startswith(MAX_STEPS_PREFIX):
        return _useless(order, child, text, "max_steps_exceeded")
    content = {
        "agent_id": order.agent_id,
        "primary_session_id": order.primary_session_id,
        "subagent_session_id": order.subagent_session_id,
        "primary_app_id": order.primary_app_id,
        "request_id": str(child.request_id),
        "text": text,
        "metadata": response.get("metadata", {}),
        "duration_ms": _duration_ms(child),
    }
    about = ("agent_id", "primary_session_id", "subagent_session_id", "request_id")
    return ToolResult.success(json.dumps(content), **{name: content[name] for name in about})


def timeout(order: Delegation, child: AgentRequest) -> ToolResult:
    return failure(order, child, "The subagent did not answer in time and was stopped.", source="timeout")


def failure(
    order: Delegation,
    child: AgentRequest | None,
    error: str,
    *,
    source: str = "subagent",
    error_type: str | None = None,
    code: str | None = None,
    retryable: bool | None = None,
) -> ToolResult:
    content: dict[str, Any] = {
        "agent_id": order.agent_id,
        "primary_session_id": order.primary_session_id,
        "subagent_session_id": order.subagent_session_id,
        "request_id": str(child.request_id) if child else None,
        "error_source": source,
        "duration_ms": _duration_ms(child) if child else 0,
        "error": error,
    }
    details = {"error_type": error_type, "error_code": code, "retryable": retryable}
    content |= {name: value for name, value in details.items() if value is not None}
    return ToolResult.error(json.dumps(content), **content)


def _useless(order: Delegation, child: AgentRequest, error: str, code: str) -> ToolResult:
    return failure(order, child, error, source="subagent_response", code=code, retryable=False)


def _duration_ms(child: AgentRequest) -> int:
    return round(((child.finished_at or timezone.now()) - child.accepted_at).total_seconds() * 1000)
