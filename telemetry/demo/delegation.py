"""Work that the demo's agents hand to each other: children of their own, told in the parent's log."""

from collections.abc import Sequence

from agents.identifiers import subagent_session_id
from agents.llm.types import LLMToolCall
from agents.loop import LoopState
from runtime import tool_events
from runtime.accept import accepted_event
from runtime.delegation_results import Delegation, result_of_end
from runtime.events import NewEvent
from runtime.kinds import EventKind, PauseReason, Reason
from runtime.public import public_event
from telemetry.demo import play
from telemetry.demo.acting import end_call
from telemetry.demo.casting import cast_request
from telemetry.demo.ending import hold
from telemetry.demo.plan import TurnPlan
from telemetry.demo.take import Take
from telemetry.demo.words import ANALYSIS, RESEARCH


def delegate(take: Take, state: LoopState, calls: Sequence[LLMToolCall]) -> LoopState:
    """The children run at the same time; those of one subagent share its session, so they run one after another."""
    children = [_spawn(take, state, call) for call in calls]
    take.children += children
    parked = {"reason": PauseReason.SUBAGENT, "request_ids": [str(child.request.request_id) for child in children]}
    take.say(NewEvent(event_type=EventKind.REQUEST_PAUSED, payload=parked))
    free_at = {child.request.session_id: take.at for child in children}
    for child in children:
        child.at = max(child.at, free_at[child.request.session_id])
        child.claim()
        play.play(child)
        free_at[child.request.session_id] = child.at
    take.mirror(*(row for child in children for row in child.log[1:]))
    if take.plan.hold == "delegated":
        hold(take, PauseReason.SUBAGENT, wakes_at=None)
    take.claim_again()
    for call, child in zip(calls, children, strict=True):
        _, said = public_event(child.log[-1], child.request, knows_cancelled=True)
        result = result_of_end(Delegation.read(call, take.request), child.request, said)
        duration_ms = round((take.at - child.request.accepted_at).total_seconds() * 1000)
        state = end_call(take, state, call, result, duration_ms=duration_ms, kind=EventKind.SUBAGENT_COMPLETED)
    return state


def _spawn(take: Take, state: LoopState, call: LLMToolCall) -> Take:
    """The call's first events and the child's, which the parent's log tells at once."""
    order = Delegation.read(call, take.request)
    take.say(*tool_events.started(state.loop_index, call))
    exchanges = RESEARCH if order.agent_id == "researcher" else ANALYSIS
    child = cast_request(
        take.stage,
        take.stage.cast.player(order.agent_id, take.at)
        if take.plan.hold != "delegated"
        else take.stage.cast.latest(order.agent_id),
        plan=_plan(take, order.agent_id),
        rng=take.rng,
        at=take.at,
        session_id=subagent_session_id(take.request.agent.agent_id, take.request.session_id, order.agent_id),
        message=order.prompt,
        answer=take.rng.choice(exchanges).told(take.rng).answer,
        user=take.request.user,
    )
    request = child.request
    request.metadata, request.created_by = take.request.metadata, take.request.created_by
    request.parent, request.parent_call = take.request, f"{state.loop_index}.{call.id}"
    request.depth, request.invoke_options = take.request.depth + 1, order.options
    child.say(accepted_event(request))
    take.mirror(child.log[0])
    return child


def _plan(take: Take, agent_id: str) -> TurnPlan:
    if take.plan.hold == "delegated":
        return TurnPlan(hold="running")
    if take.rng.random() < 0.06:
        return TurnPlan(end=Reason.PROVIDER_ERROR)
    tools = ("search_docs",) if agent_id == "researcher" else ("run_sql",)
    return TurnPlan(calls=(tools,) * take.rng.randrange(3), end_at=9)
