"""Stops a request: at once when nobody runs it, else at its worker's next durable boundary."""

from django.db import transaction

from runtime import finish
from runtime.kinds import Status
from runtime.models import AgentRequest


def cancel_request(agent_request: AgentRequest, *, reason: str, by: str) -> None:
    """Asks for the end of the request; one that has ended stays as it is."""
    with transaction.atomic():
        rows = agent_request.workspace.agent_requests.filter(pk=agent_request.pk)
        current = rows.with_agent().select_for_update(of=("self",), no_key=True).get()
        if current.status == Status.RUNNING:
            rows.running().filter(cancel_reason="").update(cancel_reason=reason)
        elif not current.is_terminal:
            finish.cancel(current, [], reason=reason, by=by)
