"""Takes the answer that somebody gives on a page."""

import json
from typing import Any

from django.db import transaction
from django.http import QueryDict

from runtime.errors import IllegalAnswer
from runtime.interactions.answer import answer_interaction
from runtime.models import Interaction
from workspaces import audit
from workspaces.authenticate import Principal


def answer(principal: Principal, row: Interaction, form: QueryDict) -> None:
    """Raises `InteractionAnswered`, `InteractionExpired` or `IllegalAnswer`."""
    response = _response(row, form)
    with transaction.atomic():
        answer_interaction(row.agent_request, row.interaction_id, response, by=principal.name)
        audit.record(
            principal.workspace, actor=principal.name, action="interaction.answered", target=row.interaction_id
        )


def _response(row: Interaction, form: QueryDict) -> Any:
    """What the API would be sent."""
    text = form.get("response", "")
    match row.kind:
        case Interaction.Kind.APPROVAL:
            return {"decision": text, "note": form.get("note", "").strip()}
        case Interaction.Kind.CHOICE:
            return form.getlist("response")
    return text if row.schema is None else _json(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise IllegalAnswer("The answer is not JSON.") from None
