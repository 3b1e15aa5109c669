"""Stopping requests and setting them going again, by request and by trace (extensions 4)."""

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.lookup import find_by_trace, find_request
from runtime.api.request_responses import AcceptedRequest, RequestRow
from runtime.api.responses import enveloped
from runtime.cancel import cancel_request
from runtime.kinds import Reason
from runtime.models import AgentRequest
from runtime.public import request_row
from runtime.rerun import rerun_request
from runtime.resume import resume_request
from runtime.usage.family import with_children
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.roles import Scope


class ControlView(APIView):
    """Finds the request that the path names."""

    required_scopes = {"POST": Scope.AGENTS_RUN}

    def find(self, request: Request, agent_id: str, **ids: uuid.UUID) -> AgentRequest:
        if "trace_id" in ids:
            return find_by_trace(request, agent_id, ids["trace_id"])
        return find_request(request, agent_id, ids["request_id"])


class CancelView(ControlView):
    @extend_schema(request=None, responses=enveloped(RequestRow))
    def post(self, request: Request, agent_id: str, **ids: uuid.UUID) -> Response:
        """Stop a request and what it has delegated: at once when it waits, within two seconds when it runs."""
        agent_request = self.find(request, agent_id, **ids)
        cancel_request(agent_request, reason=Reason.CANCELLED, by=principal_of(request).name)
        return _row(self.find(request, agent_id, **ids))


class ResumeView(ControlView):
    @extend_schema(request=None, responses=enveloped(RequestRow))
    def post(self, request: Request, agent_id: str, **ids: uuid.UUID) -> Response:
        """Let a request that failed or was cancelled go on with what it had: same id, same trace."""
        agent_request = self.find(request, agent_id, **ids)
        resume_request(agent_request, by=principal_of(request).name)
        return _row(self.find(request, agent_id, **ids))


class RerunView(ControlView):
    @extend_schema(request=None, responses=enveloped(AcceptedRequest))
    def post(self, request: Request, agent_id: str, **ids: uuid.UUID) -> Response:
        """Send a request's message again, as a new request that reads today's history."""
        again = rerun_request(principal_of(request), self.find(request, agent_id, **ids))
        answer = {
            "request_id": str(again.request_id),
            "session_id": again.session_id,
            "status": again.status,
            "request_seq": again.last_sequence,
        }
        return data(answer)


class TraceStatusView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="get_trace_status", responses=enveloped(RequestRow))
    def get(self, request: Request, agent_id: str, trace_id: uuid.UUID) -> Response:
        """Tell where the request of a trace stands."""
        return _row(find_by_trace(request, agent_id, trace_id))


def _row(agent_request: AgentRequest) -> Response:
    return data(request_row(agent_request, with_children=with_children(agent_request)))
