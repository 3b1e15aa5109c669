"""A request beside the list: enough to know whether one wants its page."""

import uuid

from django.db.models import F, OuterRef, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Left

from runtime.kinds import EventKind
from runtime.models import AgentRequest
from workspaces.models import Workspace
from workspaces.scoping import only

MOST_CHARACTERS = 4000


def find_peek(workspace: Workspace, text: str) -> AgentRequest | None:
    """With its agent's name, and its message and answer as far as a panel shows them; None for what is not there."""
    try:
        request_id = uuid.UUID(text)
    except ValueError:
        return None
    answers = (
        workspace.events.filter(agent_request=OuterRef("pk"), sequence__gte=0, event_type=EventKind.REQUEST_COMPLETED)
        .order_by("-sequence")
        .values(text=Left(KeyTextTransform("text", KeyTextTransform("response", "payload")), MOST_CHARACTERS))
    )
    found = workspace.agent_requests.filter(request_id=request_id).annotate(
        agent_name=F("agent__agent_id"), asked=Left("message", MOST_CHARACTERS), answered=Subquery(answers[:1])
    )
    return only(found.defer("message", "context", "limits", "structured_output", "attachments"))
