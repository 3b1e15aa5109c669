"""Drives a turn: think, act, observe (design.md 3, step 6)."""

import time
from typing import Any

from django.utils import timezone

from agents.build import RunnableAgent, build_agent
from agents.loop import Ask, CallTools, CommitStep, Delegate, Fail, Finish, LoopState, Think, after_commit, next_step
from agents.memory.place import is_apart
from agents.stop_signal import StopSignal
from runtime import finish
from runtime.act import act
from runtime.begin import begin
from runtime.compact import Compaction, run_compaction
from runtime.deadline import Deadline
from runtime.delegate import delegate
from runtime.drive import ShouldStop, check_boundary, end
from runtime.events import NewEvent
from runtime.interactions.ask import ask, first_deadline
from runtime.journal import Journal
from runtime.kinds import EventKind, PauseReason, Reason
from runtime.models import AgentRequest
from runtime.park import park
from runtime.think import think
from runtime.turn_signals import collect_signals
from runtime.usage.budget import check_budget
from workspaces.errors import MashError


def drive_turn(journal: Journal, should_stop: ShouldStop, stop: StopSignal) -> None:
    """Think, act and observe, from wherever the log ends."""
    agent_request = journal.agent_request
    told = list[NewEvent]()
    runnable, deadline = _prepare(agent_request, told, stop)
    with deadline.setting(stop):
        began = begin(journal, runnable, deadline=deadline, stop=stop)
        journal.add(*told)
        state: LoopState | None = began[0]
        step_began = _step_began(agent_request)
        while state is not None:
            step = next_step(state)
            if isinstance(step, (Finish, Fail)):
                _end_turn(journal, runnable, state, step, compaction=began[1])
                return
            if not isinstance(step, CommitStep):
                check_boundary(journal, deadline, should_stop)
            if isinstance(step, Think):
                check_budget(agent_request, runnable, journal.pending)
                step_began = time.monotonic()
            state = _perform(journal, runnable, state, step, deadline=deadline, stop=stop, step_began=step_began)


def drive_compaction(journal: Journal, should_stop: ShouldStop, stop: StopSignal) -> None:
    """One summary of the session, which has no boundary to stop at."""
    agent_request = journal.agent_request
    runnable, deadline = _prepare(agent_request, [], stop)
    with deadline.setting(stop):
        done = run_compaction(journal, runnable, deadline=deadline, stop=stop)
        end(lambda: finish.complete_compaction(agent_request, journal.pending, done))


def _prepare(agent_request: AgentRequest, told: list[NewEvent], stop: StopSignal) -> tuple[RunnableAgent, Deadline]:
    """The agent, whose making leaves events in `told`, and the time that the run has."""
    runnable = build_agent(
        agent_request.workspace,
        agent_request.agent,
        agent_request.agent_version,
        depth=agent_request.depth,
        emit=lambda event_type, payload: told.append(NewEvent(event_type=EventKind(event_type), payload=payload)),
        stop=stop,
    )
    limit = agent_request.limits.get("deadline_s")
    return runnable, Deadline.after(agent_request.run_began_at, limit, runnable.definition.deadline_s)


def _perform(
    journal: Journal,
    runnable: RunnableAgent,
    state: LoopState,
    step: Think | CallTools | Delegate | Ask | CommitStep,
    *,
    deadline: Deadline,
    stop: StopSignal,
    step_began: float,
) -> LoopState | None:
    """The state after the step; None when the request is parked and goes on some other time."""
    match step:
        case Think():
            context = journal.agent_request.context
            return think(journal, runnable, state, context=context, deadline=deadline, stop=stop)
        case CallTools(calls=calls):
            return act(journal, runnable, state, calls, stop=stop)
        case Ask(calls=calls):
            state, open_ones = ask(journal, runnable, state, calls)
            ids = [interaction.interaction_id for interaction in open_ones]
            wakes_at = deadline.earlier(first_deadline(open_ones))
            about = {"interaction_ids": ids}
            is_parked = bool(ids) and park(journal, PauseReason.INTERACTION, wakes_at=wakes_at, about=about)
            return None if is_parked else state
        case Delegate(calls=calls):
            state, waiting = delegate(journal, runnable, state, calls)
            wakes_at, about = deadline.earlier(waiting.until), {"request_ids": list(waiting.request_ids)}
            is_waiting = bool(waiting.request_ids)
            is_parked = is_waiting and park(journal, PauseReason.SUBAGENT, wakes_at=wakes_at, about=about)
            return None if is_parked else state
        case CommitStep():
            journal.add(step_completed(step, duration_ms=round((time.monotonic() - step_began) * 1000)))
            return after_commit(state)


class TurnFailed(MashError):
    """The loop itself says that the turn cannot be completed."""

    def __init__(self, step: Fail) -> None:
        super().__init__(step.message)
        self.code = step.code


def _step_began(agent_request: AgentRequest) -> float:
    """On this process's clock, which for a step that an earlier attempt began, or that was parked, goes back to its start."""
    now = time.monotonic()
    if agent_request.attempt == 1:
        return now
    asked = agent_request.events.filter(event_type=EventKind.THINK_STARTED).order_by("-sequence")
    for asked_at in asked.values_list("created_at", flat=True)[:1]:
        return now - (timezone.now() - asked_at).total_seconds()
    return now


def step_completed(step: CommitStep, *, duration_ms: int) -> NewEvent:
    return NewEvent(
        event_type=EventKind.STEP_COMPLETED,
        loop_index=step.loop_index,
        key=f"step.completed.{step.loop_index}",
        is_step=True,
        payload={
            "action_type": step.action_type,
            "tool_calls": list(step.tool_names),
            "duration_ms": duration_ms,
        },
    )


def _end_turn(
    journal: Journal,
    runnable: RunnableAgent,
    state: LoopState,
    step: Finish | Fail,
    *,
    compaction: Compaction | None,
) -> None:
    if isinstance(step, Fail):
        raise TurnFailed(step)
    signals: dict[str, Any] = {}
    if not step.stopped_by_limit:
        signals = collect_signals(journal.agent_request, runnable, state, text=step.text)
    outcome = finish.Outcome(
        text=step.text,
        signals=signals,
        input_tokens=state.input_tokens,
        output_tokens=state.output_tokens,
        stop_reason=Reason.MAX_STEPS if step.stopped_by_limit else "",
        structured_output=step.output,
        compaction=compaction,
    )
    if is_apart():
        # What the turn came from must be in the log before the turn is stored, for a crash may come between them.
        journal.write()
    end(lambda: finish.complete(journal.agent_request, journal.pending, outcome))
