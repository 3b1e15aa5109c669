"""Health and submission of one agent (contract 2.5)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

from agents.models import Agent
from runtime.accept import accept_request
from runtime.api.agents import default_session_info, listed_agents
from runtime.api.serializers import check_message_size, submission_from
from runtime.h2a.errors import RouteNotFound, bare_exception_handler
from workspaces.api.authentication import MashAuthentication, principal_of
from workspaces.api.serializers import BodySerializer, StrictCharField, read_body
from workspaces.authenticate import Principal, authenticate_by_header
from workspaces.models import User
from workspaces.roles import Scope
from workspaces.scoping import only


class HeaderAuthentication(MashAuthentication):
    @override
    def authenticate(self, request: Request) -> tuple[User | None, Principal]:
        return None, authenticate_by_header(request._request)


class AgentBody(BodySerializer):
    message = StrictCharField(trim_whitespace=False)
    session_id = StrictCharField(max_length=255)


@extend_schema(exclude=True)
class AgentServerView(APIView):
    """Base of the views; the OpenAPI document is about the other API, with its envelope."""

    authentication_classes = (HeaderAuthentication,)

    @override
    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return bare_exception_handler


class HealthView(AgentServerView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    def get(self, request: Request, served_id: str) -> Response:
        principal = principal_of(request)
        agent = find_served(principal, served_id, served_id)
        session = default_session_info(agent, listed_agents(principal.workspace))
        return Response({"status": "ok", "agent_id": agent.agent_id, "app_id": agent.agent_id, "session": session})


class SubmitView(AgentServerView):
    required_scopes = {"POST": Scope.AGENTS_RUN}

    def post(self, request: Request, served_id: str, agent_id: str) -> Response:
        principal = principal_of(request)
        agent = find_served(principal, served_id, agent_id)
        body = read_body(request, AgentBody)
        message = body["message"]
        # The message goes on as it came, blanks around it included.
        submission = replace(submission_from(body), message=message)
        check_message_size(message)
        agent_request = accept_request(principal, agent, submission).agent_request
        answer = {
            "request_id": str(agent_request.request_id),
            "agent_id": agent.agent_id,
            "session_id": agent_request.session_id,
            "status": "accepted",
        }
        return Response(answer, status=202)


class NoRouteView(AgentServerView):
    """Whatever else is asked for below `/h2a/`."""

    required_scopes = dict.fromkeys(("GET", "POST"), Scope.AGENTS_READ)

    def get(self, request: Request, rest: str) -> Response:
        raise RouteNotFound("There is no such route.")

    post = get


def find_served(principal: Principal, served_id: str, agent_id: str) -> Agent:
    """The agent behind the base path, if the rest of the path means the same one."""
    agents = principal.workspace.agents.select_related("current_version", "workspace")
    agent = only(agents.filter(agent_id=served_id.replace("\x00", "\ufffd")))
    if agent is None or agent_id != served_id:
        raise RouteNotFound("There is no such agent here.")
    return agent
