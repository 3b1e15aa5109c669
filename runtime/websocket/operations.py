"""Commands that change something. They ask the database, so each runs in a thread, beside the threads of HTTP."""

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, ParamSpec, TypeVar

from django.core.handlers.asgi import ASGIRequest

from runtime.accept import accept_request
from runtime.api.lookup import agent_of
from runtime.api.requests import checked_key
from runtime.api.serializers import submission_from
from runtime.cancel import cancel_request
from runtime.errors import RequestNotFound
from runtime.interactions.answer import answer_interaction
from runtime.kinds import Reason
from runtime.models import AgentRequest
from runtime.public import accepted_answer, request_row
from runtime.readers import DATABASE_ERRORS, released
from runtime.sse import NotReady, Scope
from runtime.websocket.errors import AccessEnded
from workspaces.authenticate import Principal, authenticate_handshake
from workspaces.errors import MashError
from workspaces.roles import Scope as AccessScope
from workspaces.scoping import only

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_SCHEMES = {"ws": "http", "wss": "https"}
_threads = ThreadPoolExecutor(4, thread_name_prefix="websocket")


async def in_thread(work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Runs `work` in one of the WebSockets' threads; a database that is away becomes `NotReady`."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.run_in_executor(_threads, lambda: released(work, *args, **kwargs))
    except DATABASE_ERRORS as error:
        raise NotReady("The database cannot be reached right now; try again.") from error


def caller(scope: Scope) -> Principal:
    """Who opens the socket, by their handshake."""
    scheme = _SCHEMES.get(scope.get("scheme", "ws"), "http")
    return authenticate_handshake(ASGIRequest({**scope, "method": "GET", "scheme": scheme}, BytesIO()))


def present_caller(scope: Scope) -> Principal:
    """The same, asked anew for every command: tokens and memberships end while sockets stay open."""
    try:
        return caller(scope)
    except MashError as error:
        raise AccessEnded("The token or membership behind this connection has ended.") from error


def operate(scope: Scope, op: str, values: dict[str, Any]) -> dict[str, Any]:
    """Does what the command says and gives the data of its acknowledgement."""
    needed, operation = _OPERATIONS[op]
    principal = present_caller(scope)
    principal.require(needed)
    return operation(principal, values)


def _submit(principal: Principal, values: dict[str, Any]) -> dict[str, Any]:
    agent = agent_of(principal.workspace, values.pop("agent_id"))
    key = checked_key(values.pop("idempotency_key").strip())
    accepted = accept_request(principal, agent, submission_from(values), idempotency_key=key)
    return {**accepted_answer(accepted.agent_request), "is_replay": accepted.is_replay}


def _cancel(principal: Principal, values: dict[str, Any]) -> dict[str, Any]:
    agent_request = _find_request(principal, values["request_id"])
    cancel_request(agent_request, reason=Reason.CANCELLED, by=principal.name)
    return request_row(_find_request(principal, values["request_id"]))


def _answer(principal: Principal, values: dict[str, Any]) -> dict[str, Any]:
    agent_request = _find_request(principal, values["request_id"])
    interaction = answer_interaction(agent_request, values["interaction_id"], values["response"], by=principal.name)
    return {"ok": True, "interaction_id": interaction.interaction_id}


_OPERATIONS: dict[str, tuple[AccessScope, Callable[[Principal, dict[str, Any]], dict[str, Any]]]] = {
    "submit": (AccessScope.AGENTS_RUN, _submit),
    "cancel": (AccessScope.AGENTS_RUN, _cancel),
    "answer": (AccessScope.INTERACTIONS_ANSWER, _answer),
}


def _find_request(principal: Principal, request_id: uuid.UUID) -> AgentRequest:
    agent_request = only(principal.workspace.agent_requests.with_relatives().filter(request_id=request_id))
    if agent_request is None:
        raise RequestNotFound("There is no such request.")
    return agent_request
