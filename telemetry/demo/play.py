"""Plays one turn: the real loop decides what comes next, the plan what models and tools answer, and nothing is called."""

from datetime import datetime

from agents.llm.types import LLMContentBlock, LLMMessage
from agents.loop import Ask, CallTools, CommitStep, Delegate, Fail, Finish, LoopState, Think, after_commit, next_step
from runtime import begin
from runtime.kinds import Reason
from runtime.turn import step_completed
from telemetry.demo import asking, compaction, delegation, ending
from telemetry.demo.acting import act
from telemetry.demo.ending import Cut, Held
from telemetry.demo.take import Take
from telemetry.demo.thinking import think

_EARLIER = LLMMessage(role="user", content=[LLMContentBlock.text("What was said earlier.")])


def play(take: Take) -> None:
    """The log of a request that has been claimed, to its end or to where it is held."""
    try:
        _play(take)
    except Cut as cut:
        ending.end_cut(take, cut)
    except Held:
        pass


def _play(take: Take) -> None:
    if take.plan.end == Reason.ERROR:
        raise Cut(Reason.ERROR)
    take.say(*begin.opening(take.request))
    summary = compaction.compact_if_due(take)
    turn_count = take.stage.memory.shown_to(take.request, take.player.runnable.definition.conversation_history_turns)
    message = LLMMessage(role="user", content=[LLMContentBlock.text(take.request.message)])
    take.say(*begin.loaded(take.request, turn_count=turn_count))
    state = begin.first_state(take.request, take.player.runnable, ((_EARLIER,) * (2 * turn_count)) + (message,))
    step_began = take.at
    while True:
        step = next_step(state)
        if isinstance(step, Finish):
            ending.finish_turn(take, state, step, summary)
            return
        if isinstance(step, Fail):
            raise Cut(take.plan.end, step)
        if isinstance(step, Think):
            ending.check_boundary(take, state)
            step_began = take.at
        state = _perform(take, state, step, step_began)


def _perform(
    take: Take, state: LoopState, step: Think | CallTools | Delegate | Ask | CommitStep, step_began: datetime
) -> LoopState:
    match step:
        case Think():
            return think(take, state)
        case CallTools(calls=calls):
            return act(take, state, calls)
        case Ask(calls=calls):
            return asking.ask(take, state, calls)
        case Delegate(calls=calls):
            return delegation.delegate(take, state, calls)
        case CommitStep():
            duration_ms = round((take.at - step_began).total_seconds() * 1000)
            take.say(step_completed(step, duration_ms=duration_ms))
            return after_commit(state)
