"""What the demo's agents ask people, and what these answer, or not."""

from collections.abc import Sequence
from datetime import timedelta

from agents.llm.types import LLMToolCall
from agents.loop import LoopState, after_answer
from runtime.events import NewEvent
from runtime.interactions.answers import PATIENCE, SILENCE
from runtime.interactions.ask import ack_event, acknowledgement, create_event, first_deadline, question_about
from runtime.kinds import EventKind, PauseReason
from runtime.models import Interaction
from runtime.rebuild import answer_of
from telemetry.demo.ending import hold
from telemetry.demo.take import Take

_NOTES = ("", "", "Fine, but tell the customer.", "This is the last time for this customer.")
_OPEN_FOR = timedelta(hours=12)
Kind = Interaction.Kind


def ask(take: Take, state: LoopState, calls: Sequence[LLMToolCall]) -> LoopState:
    """Everything that a step must ask is asked at once; then the request is parked."""
    asked = [_open(take, state, call) for call in calls]
    take.interactions += asked
    take.say(*map(create_event, asked))
    about = {"reason": PauseReason.INTERACTION, "interaction_ids": [question.interaction_id for question in asked]}
    take.say(NewEvent(event_type=EventKind.REQUEST_PAUSED, payload=about))
    if take.plan.hold == "asked":
        hold(take, PauseReason.INTERACTION, wakes_at=first_deadline(asked))
    for question in asked:
        _settle(take, question)
        take.say(ack_event(question))
        state = after_answer(state, question.call_id, answer_of(acknowledgement(question)))
    take.claim_again()
    return state


def _open(take: Take, state: LoopState, call: LLMToolCall) -> Interaction:
    kind, prompt, options = question_about(take.player.runnable, state, call)
    return Interaction(
        interaction_id=f"itr_{take.rng.getrandbits(48):012x}",
        workspace=take.request.workspace,
        agent_request=take.request,
        run=take.request.run,
        loop_index=state.loop_index,
        call_id=call.id,
        kind=kind,
        prompt=prompt,
        options=options,
        tool_calls=[{"id": call.id, "name": call.name, "arguments": call.arguments}],
        deadline=take.at + (_OPEN_FOR if take.plan.hold else PATIENCE[kind]),
        created_at=take.at,
    )


def _settle(take: Take, question: Interaction) -> None:
    if not take.plan.answers_in_time:
        question.state, question.answer = Interaction.State.EXPIRED, SILENCE[question.kind]
        take.at = max(take.at, question.deadline + timedelta(milliseconds=60))
        return
    take.wait(5 + take.rng.random() * 120)
    question.state = Interaction.State.ANSWERED
    question.answered_by, question.answered_at = take.rng.choice(("ada", "jonas", "token:mash_demo")), take.at
    if question.kind == Kind.APPROVAL:
        question.answer = take.rng.choice(("approve", "approve", "deny"))
        question.note = take.rng.choice(_NOTES)
    else:
        question.answer = [take.rng.choice(question.options)] if question.options else "Please decide yourself."
