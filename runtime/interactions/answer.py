"""Takes a person's answer: validated, kept once, told to the stream, and the request woken (extensions 5)."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from runtime import events, queue
from runtime.errors import InteractionAnswered, InteractionExpired, InteractionNotFound
from runtime.interactions.answers import read_answer
from runtime.interactions.ask import ack_event
from runtime.kinds import RequestKind
from runtime.models import AgentRequest, Interaction
from workspaces.scoping import only

State = Interaction.State


def answer_interaction(agent_request: AgentRequest, interaction_id: str, response: Any, *, by: str) -> Interaction:
    """Stores the answer. Raises `InteractionNotFound`, `InteractionAnswered`, `InteractionExpired` or `IllegalAnswer`."""
    workspace = agent_request.workspace
    with transaction.atomic():
        # The request first, as its worker does: whoever settles its questions holds this lock.
        workspace.agent_requests.filter(pk=agent_request.pk).select_for_update(no_key=True).get()
        interaction = only(agent_request.interactions.filter(interaction_id=interaction_id))
        if interaction is None:
            raise InteractionNotFound("This request has no such question.")
        _check_open(interaction)
        reading = read_answer(interaction, response)
        interaction.state, interaction.answered_by, interaction.answered_at = State.ANSWERED, by, timezone.now()
        interaction.answer, interaction.note = events.storable(reading.response), events.storable(reading.note)
        interaction.save(update_fields=["state", "answer", "note", "answered_by", "answered_at"])
        events.append(agent_request, [ack_event(interaction)])
        is_run = agent_request.kind == RequestKind.WORKFLOW
        if is_run or not agent_request.interactions.filter(state=State.OPEN).exists():
            workspace.agent_requests.filter(pk=agent_request.pk).update(is_due=True)
            queue.enqueue(agent_request)
    return interaction


def _check_open(interaction: Interaction) -> None:
    if interaction.state == State.ANSWERED:
        raise InteractionAnswered("This question has been answered already.")
    if interaction.state != State.OPEN or interaction.deadline <= timezone.now():
        raise InteractionExpired("This question is no longer open.")
