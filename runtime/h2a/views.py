"""Health of one agent, and sending it a message (contract 2.5)."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from runtime.accept import Submission, accept_request
from runtime.api.agents import default_session_info, listed_agents
from runtime.api.serializers import check_message
from runtime.h2a.door import OPEN_TO_ALL, check_route, enter, error_content
from workspaces.api.envelope import InvalidRequest
from workspaces.errors import MashError
from workspaces.roles import Scope

Parameters = ParamSpec("Parameters")
View = Callable[Concatenate[HttpRequest, Parameters], JsonResponse]
MAX_SESSION_ID = 255


class InvalidJson(MashError):
    code = "INVALID_JSON"
    status = 400


def plain(view: "View[Parameters]") -> "View[Parameters]":
    """Answers what the view raises in this surface's own form; needs no CSRF token, for it takes no cookies."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, *args: Parameters.args, **kwargs: Parameters.kwargs) -> JsonResponse:
        try:
            return view(request, *args, **kwargs)
        except MashError as error:
            headers = {**OPEN_TO_ALL, **({"WWW-Authenticate": "Bearer"} if error.status == 401 else {})}
            return JsonResponse(error_content(error), status=error.status, headers=headers)

    return answer  # type: ignore[return-value]  # the wrapper keeps the view's parameters


@require_GET
@plain
def health(request: HttpRequest, agent_id: str) -> JsonResponse:
    _, agent = enter(request, agent_id, scope=Scope.AGENTS_READ)
    session = default_session_info(agent, listed_agents(agent.workspace))
    about = {"status": "ok", "agent_id": agent.agent_id, "app_id": agent.agent_id, "session": session}
    return JsonResponse(about, headers=OPEN_TO_ALL)


@csrf_exempt
@require_POST
@plain
def submit(request: HttpRequest, agent_id: str, named: str) -> JsonResponse:
    principal, agent = enter(request, agent_id, scope=Scope.AGENTS_RUN)
    check_route(agent, named)
    accepted = accept_request(principal, agent, _submission(request.body)).agent_request
    answer = {
        "request_id": str(accepted.request_id),
        "agent_id": agent.agent_id,
        "session_id": accepted.session_id,
        "status": "accepted",
    }
    return JsonResponse(answer, status=202, headers=OPEN_TO_ALL)


def _submission(body: bytes) -> Submission:
    """The message as it came, the session's id trimmed; neither may be blank."""
    try:
        values: Any = json.loads(body)
        body.decode()
    except (ValueError, RecursionError):
        raise InvalidJson("The body is not JSON.") from None
    if not isinstance(values, dict):
        raise InvalidRequest("The body must be a JSON object.")
    for name in ("message", "session_id"):
        value = values.get(name)
        if not isinstance(value, str) or not value.strip() or "\x00" in value or not _is_text(value):
            raise InvalidRequest(f"{name} must be text that is not blank.")
    session_id = values["session_id"].strip()
    if len(session_id) > MAX_SESSION_ID:
        raise InvalidRequest(f"session_id must have at most {MAX_SESSION_ID} characters.")
    check_message(values["message"])
    return Submission(message=values["message"], session_id=session_id)


def _is_text(value: str) -> bool:
    """Whether it holds no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
