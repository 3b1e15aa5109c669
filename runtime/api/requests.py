"""Submitting and looking at requests (contract 2.2.3, extensions 3 and 4)."""

import uuid
from datetime import UTC, datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

from runtime.accept import accept_request
from runtime.api.lookup import find_agent, find_request
from runtime.api.parameters import IDEMPOTENCY_KEY, PREFER, REQUEST_FILTERS
from runtime.api.request_responses import SUBMIT_ANSWER, SUBMIT_EXAMPLES, RequestList, RequestRow
from runtime.api.responses import enveloped
from runtime.api.serializers import SubmitBody, submission_from
from runtime.kinds import Status
from runtime.models import AgentRequestQuerySet
from runtime.public import request_row
from runtime.usage.family import with_children
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidBody, InvalidRequest, data
from workspaces.api.pagination import newest_first
from workspaces.api.serializers import read_body
from workspaces.roles import Scope

MAX_KEY_LENGTH = 255


class SubmitView(APIView):
    required_scopes = {"POST": Scope.AGENTS_RUN}

    @extend_schema(
        operation_id="submit_request",
        request=SubmitBody,
        parameters=[IDEMPOTENCY_KEY, PREFER],
        responses=SUBMIT_ANSWER,
        examples=SUBMIT_EXAMPLES,
    )
    def post(self, request: Request, agent_id: str) -> Response:
        """Send a message to an agent. Once this is answered, the request is stored and will reach its end."""
        agent = find_agent(request, agent_id)
        submission = submission_from(read_body(request, SubmitBody))
        accepted = accept_request(principal_of(request), agent, submission, idempotency_key=_idempotency_key(request))
        agent_request = accepted.agent_request
        answer = {
            "request_id": str(agent_request.request_id),
            "session_id": agent_request.session_id,
            "status": agent_request.status,
            "request_seq": agent_request.last_sequence,
        }
        return data(answer, headers={"Idempotent-Replayed": "true"} if accepted.is_replay else None)


class RequestListView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="list_requests", parameters=REQUEST_FILTERS, responses=enveloped(RequestList))
    def get(self, request: Request, agent_id: str) -> Response:
        """List the agent's requests, newest first. Filters: status, session_id, user, since, until; pages by cursor."""
        agent = find_agent(request, agent_id)
        rows = principal_of(request).workspace.agent_requests.filter(agent=agent).with_relatives()
        page, cursor = newest_first(request, _filtered(request, rows))
        return data({"requests": [request_row(row) for row in page], "next": cursor})


class RequestView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(operation_id="get_request", responses=enveloped(RequestRow))
    def get(self, request: Request, agent_id: str, request_id: uuid.UUID) -> Response:
        """Tell where a request stands."""
        agent_request = find_request(request, agent_id, request_id)
        return data(request_row(agent_request, with_children=with_children(agent_request)))


class RequestStatusView(RequestView):
    @extend_schema(operation_id="get_request_status", responses=enveloped(RequestRow))
    @override
    def get(self, request: Request, agent_id: str, request_id: uuid.UUID) -> Response:
        """Tell where a request stands, under the path that says so."""
        return super().get(request, agent_id, request_id)


def _idempotency_key(request: Request) -> str:
    return checked_key(request.headers.get("Idempotency-Key", "").strip())


def checked_key(key: str) -> str:
    if len(key) > MAX_KEY_LENGTH or not key.isprintable():
        raise InvalidRequest(f"Idempotency-Key must be at most {MAX_KEY_LENGTH} printable characters.")
    return key


def _filtered(request: Request, rows: AgentRequestQuerySet) -> AgentRequestQuerySet:
    query = request.query_params
    if status := query.get("status"):
        if status not in Status.values:
            raise InvalidBody([_fault("status", f"One of {', '.join(Status.values)}.")])
        rows = rows.filter(status=status)
    for name in ("session_id", "user"):
        if value := query.get(name):
            rows = rows.filter(**{name: value.replace("\x00", "\ufffd")})
    if since := query.get("since"):
        rows = rows.filter(accepted_at__gte=_moment("since", since))
    if until := query.get("until"):
        rows = rows.filter(accepted_at__lt=_moment("until", until))
    return rows


def _moment(name: str, text: str) -> datetime:
    """Unix seconds, as everywhere in the API."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidBody([_fault(name, "Not a time in Unix seconds.")]) from None


def _fault(name: str, message: str) -> dict[str, object]:
    return {"type": "invalid", "loc": ["query", name], "msg": message}
