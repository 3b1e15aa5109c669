"""What a client may ask of the socket besides following: the API's verbs, with its checks and its answers."""

import uuid
from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from agents.models import Agent
from runtime.accept import accept_request
from runtime.api.requests import MAX_KEY_LENGTH, checked_key
from runtime.api.serializers import InteractionBody, SubmitBody, submission_from
from runtime.cancel import cancel_request
from runtime.errors import AgentNotFound, RequestNotFound
from runtime.interactions.answer import answer_interaction
from runtime.kinds import Reason
from runtime.models import AgentRequest
from runtime.socket.handshake import present_principal
from runtime.sse import Scope as ASGIScope
from workspaces.api.serializers import BodySerializer, StrictCharField, read
from workspaces.authenticate import Principal
from workspaces.roles import Scope
from workspaces.scoping import only


class SubscribeBody(BodySerializer):
    request_id = serializers.UUIDField()
    after_seq = serializers.IntegerField(min_value=0, max_value=10**18, required=False)


class RequestBody(BodySerializer):
    request_id = serializers.UUIDField()


class SocketSubmitBody(SubmitBody):
    agent_id = StrictCharField(max_length=200)
    idempotency_key = StrictCharField(max_length=MAX_KEY_LENGTH, required=False)


class SocketAnswerBody(InteractionBody):
    request_id = serializers.UUIDField()


def submit(principal: Principal, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    principal.require(Scope.AGENTS_RUN)
    body = read(SocketSubmitBody, values, place="frame")
    key = checked_key(body.pop("idempotency_key", ""))
    agent = _agent(principal, body.pop("agent_id"))
    accepted = accept_request(principal, agent, submission_from(body), idempotency_key=key)
    agent_request = accepted.agent_request
    return "submitted", {
        "request_id": str(agent_request.request_id),
        "session_id": agent_request.session_id,
        "status": agent_request.status,
        "request_seq": agent_request.last_sequence,
        "is_replay": accepted.is_replay,
    }


def cancel(principal: Principal, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    principal.require(Scope.AGENTS_RUN)
    body = read(RequestBody, values, place="frame")
    agent_request = find_request(principal, body["request_id"])
    cancel_request(agent_request, reason=Reason.CANCELLED, by=principal.name)
    return "cancelling", {"request_id": str(agent_request.request_id)}


def answer(principal: Principal, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    principal.require(Scope.INTERACTIONS_ANSWER)
    body = read(SocketAnswerBody, values, place="frame")
    agent_request = find_request(principal, body["request_id"])
    interaction = answer_interaction(agent_request, body["interaction_id"], body["response"], by=principal.name)
    return "answered", {"ok": True, "interaction_id": interaction.interaction_id}


COMMANDS: dict[str, Callable[[Principal, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "submit": submit,
    "cancel": cancel,
    "answer": answer,
}


def run_command(operation: str, scope: ASGIScope, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and data of the answer; raises what the API would answer with."""
    return COMMANDS[operation](present_principal(scope), values)


def find_request(principal: Principal, request_id: uuid.UUID) -> AgentRequest:
    agent_request = only(principal.workspace.agent_requests.with_agent().filter(request_id=request_id))
    if agent_request is None:
        raise RequestNotFound("There is no such request.")
    return agent_request


def _agent(principal: Principal, agent_id: str) -> Agent:
    agents = principal.workspace.agents.select_related("current_version")
    agent = only(agents.filter(agent_id=agent_id.strip()))
    if agent is None:
        raise AgentNotFound("There is no such agent.")
    return agent
