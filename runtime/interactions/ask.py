"""Opens a request's questions to a person, and takes in what came of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.build import RunnableAgent
from agents.llm.types import LLMToolCall
from agents.loop import LoopState, after_answer
from agents.tools.ask_user import ASK_USER
from runtime import events
from runtime.events import NewEvent
from runtime.interactions.answers import PATIENCE, SILENCE
from runtime.journal import Journal
from runtime.kinds import EventKind
from runtime.models import AgentRequest, Interaction
from runtime.rebuild import answer_of

State = Interaction.State


def ask(
    journal: Journal, runnable: RunnableAgent, state: LoopState, calls: Iterable[LLMToolCall]
) -> tuple[LoopState, list[Interaction]]:
    """The state with every answer that is there, and the questions that are still open; they are asked once."""
    known = _latest_by_call(journal, state)
    new = [call for call in calls if _is_unasked(state, call, known)]
    if new:
        with transaction.atomic():
            asked = [_open(journal, runnable, state, call, known) for call in new]
            events.append(
                journal.agent_request, [*journal.pending, *map(create_event, asked)], journal.agent_request.attempt
            )
        journal.pending = []
        known |= {interaction.call_id: interaction for interaction in asked}
    open_ones = []
    for call in calls:
        interaction = known[call.id]
        is_late = interaction.state == State.OPEN and interaction.deadline <= timezone.now()
        if is_late and expire(journal.agent_request, interaction, journal.pending):
            journal.pending = []
        if interaction.state == State.OPEN:
            open_ones.append(interaction)
        else:
            state = after_answer(state, call.id, answer_of(acknowledgement(interaction)))
    return state, open_ones


def expire(agent_request: AgentRequest, interaction: Interaction, pending: Sequence[NewEvent] = ()) -> bool:
    """Silence is an answer too. False when somebody has answered in this very moment: then that counts."""
    with transaction.atomic():
        # The request first, as whoever answers does.
        agent_request.workspace.agent_requests.filter(pk=agent_request.pk).select_for_update(no_key=True).get()
        open_rows = agent_request.interactions.filter(pk=interaction.pk, state=State.OPEN)
        is_expired = open_rows.update(state=State.EXPIRED, answer=SILENCE[interaction.kind]) == 1
        interaction.refresh_from_db()
        if is_expired:
            events.append(agent_request, [*pending, ack_event(interaction)], agent_request.attempt)
    return is_expired


def acknowledgement(interaction: Interaction) -> dict[str, Any]:
    """The payload of `request.interaction.ack`."""
    return {
        "interaction_id": interaction.interaction_id,
        "kind": interaction.kind,
        "tool_call_id": interaction.call_id,
        "state": interaction.state,
        "response": interaction.answer,
        "note": interaction.note,
        "by": interaction.answered_by or None,
    }


def ack_event(interaction: Interaction) -> NewEvent:
    return NewEvent(
        event_type=EventKind.INTERACTION_ACK,
        key=f"interaction.{interaction.interaction_id}",
        payload=acknowledgement(interaction),
    )


def _latest_by_call(journal: Journal, state: LoopState) -> dict[str, Interaction]:
    """The newest question of this step and run about each call."""
    agent_request = journal.agent_request
    rows = agent_request.interactions.filter(run=agent_request.run, loop_index=state.loop_index).order_by("pk")
    return {interaction.call_id: interaction for interaction in rows}


def _is_unasked(state: LoopState, call: LLMToolCall, known: dict[str, Interaction]) -> bool:
    """Also true of a call that was approved, begun and lost: whether it may run again is another question."""
    interaction = known.get(call.id)
    return interaction is None or (call.id in state.to_confirm and interaction.state != State.OPEN)


def _open(
    journal: Journal, runnable: RunnableAgent, state: LoopState, call: LLMToolCall, known: dict[str, Interaction]
) -> Interaction:
    agent_request = journal.agent_request
    kind, prompt, options = question_about(runnable, state, call)
    return agent_request.interactions.create(
        workspace=agent_request.workspace,
        run=agent_request.run,
        loop_index=state.loop_index,
        call_id=call.id,
        turn=known[call.id].turn + 1 if call.id in known else 1,
        kind=kind,
        prompt=prompt,
        options=options,
        tool_calls=[{"id": call.id, "name": call.name, "arguments": events.storable(call.arguments)}],
        deadline=timezone.now() + PATIENCE[kind],
        created_at=timezone.now(),
    )


def question_about(runnable: RunnableAgent, state: LoopState, call: LLMToolCall) -> tuple[str, str, list[str]]:
    if call.name == ASK_USER:
        options = call.arguments.get("options")
        choices = [str(option) for option in options if str(option).strip()] if isinstance(options, list) else []
        kind = Interaction.Kind.CHOICE if choices else Interaction.Kind.INFO
        return kind, events.storable(str(call.arguments.get("question", ""))), events.storable(choices)
    if call.id in state.to_confirm:
        text = f"{call.name} was interrupted and may or may not have done its work. Run it again?"
        return Interaction.Kind.APPROVAL, text, []
    return Interaction.Kind.APPROVAL, f"{runnable.agent_id} wants to run {call.name}.", []


def create_event(interaction: Interaction) -> NewEvent:
    payload = {
        "interaction_id": interaction.interaction_id,
        "kind": interaction.kind,
        "prompt": interaction.prompt,
        "options": interaction.options,
        "schema": interaction.schema,
        "tool_calls": interaction.tool_calls,
        "deadline": interaction.deadline.timestamp(),
    }
    return NewEvent(event_type=EventKind.INTERACTION_CREATE, loop_index=interaction.loop_index, payload=payload)


def first_deadline(interactions: Iterable[Interaction]) -> datetime | None:
    """When silence becomes an answer; a moment later than that, so that whoever wakes then finds it so."""
    deadlines = [interaction.deadline for interaction in interactions]
    return min(deadlines) + timedelta(milliseconds=50) if deadlines else None
