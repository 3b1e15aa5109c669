"""The workspace's inbox, and answering what a request asks (extensions 5)."""

import uuid

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.lookup import find_request
from runtime.api.parameters import CURSOR, LIMIT
from runtime.api.request_responses import Acknowledged, InteractionList
from runtime.api.responses import enveloped
from runtime.api.serializers import InteractionBody
from runtime.interactions.answer import answer_interaction
from runtime.models import Interaction
from runtime.public import interaction_row
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidBody, data
from workspaces.api.pagination import newest_first
from workspaces.api.serializers import read_body
from workspaces.roles import Scope

_STATE = OpenApiParameter("state", OpenApiTypes.STR, enum=Interaction.State.values)


class InteractionListView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}

    @extend_schema(
        operation_id="list_interactions", parameters=[_STATE, LIMIT, CURSOR], responses=enveloped(InteractionList)
    )
    def get(self, request: Request) -> Response:
        """List what the workspace's requests ask people, newest first."""
        rows = principal_of(request).workspace.interactions.select_related("agent_request__agent")
        if state := request.query_params.get("state"):
            if state not in Interaction.State.values:
                text = f"One of {', '.join(Interaction.State.values)}."
                raise InvalidBody([{"type": "invalid", "loc": ["query", "state"], "msg": text}])
            rows = rows.filter(state=state)
        page, cursor = newest_first(request, rows)
        return data({"interactions": [interaction_row(row) for row in page], "next": cursor})


class AnswerView(APIView):
    required_scopes = {"POST": Scope.INTERACTIONS_ANSWER}

    @extend_schema(operation_id="answer_interaction", request=InteractionBody, responses=enveloped(Acknowledged))
    def post(self, request: Request, agent_id: str, request_id: uuid.UUID) -> Response:
        """Answer a question of a request: approve or deny a call, choose among options, or write."""
        agent_request = find_request(request, agent_id, request_id)
        body = read_body(request, InteractionBody)
        interaction = answer_interaction(
            agent_request, body["interaction_id"], body["response"], by=principal_of(request).name
        )
        return data({"ok": True, "interaction_id": interaction.interaction_id})
