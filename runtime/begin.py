"""How a run begins: the state to go on from, and the first events of its log."""

from agents.build import RunnableAgent
from agents.llm.types import LLMMessage
from agents.loop import LoopState
from agents.memory.history import recent_turns
from agents.stop_signal import StopSignal
from runtime.attachments import show
from runtime.compact import Compaction, compact_if_due
from runtime.deadline import Deadline
from runtime.events import NewEvent
from runtime.interactions.within_call import WITHIN_CALL
from runtime.journal import Journal
from runtime.kinds import EventKind
from runtime.models import AgentRequest, Interaction
from runtime.rebuild import REPLAYED, rebuild


def begin(
    journal: Journal, runnable: RunnableAgent, *, deadline: Deadline, stop: StopSignal
) -> tuple[LoopState, Compaction | None]:
    """History and message, and whatever the log holds of this turn already; with the summary that was made for it."""
    agent_request = journal.agent_request
    journal.add(*opening(agent_request))
    compaction = compact_if_due(journal, runnable, deadline=deadline, stop=stop)
    turns = recent_turns(
        agent_request.workspace,
        agent_id=agent_request.agent.agent_id,
        session_id=agent_request.session_id,
        count=runnable.definition.conversation_history_turns,
    )
    state = first_state(agent_request, runnable, show.conversation(agent_request, turns))
    if agent_request.attempt > 1:
        log = agent_request.events.filter(event_type__in=REPLAYED).order_by("sequence")
        state = rebuild(state, log, crash_policy=runnable.crash_policy)
    if agent_request.was_lost:
        # Whoever asked these in the middle of a call is gone.
        asked = agent_request.interactions.filter(turn=WITHIN_CALL, state=Interaction.State.OPEN)
        asked.update(state=Interaction.State.CANCELLED)
    journal.add(*loaded(agent_request, turn_count=len(turns)))
    return state, compaction


def first_state(agent_request: AgentRequest, runnable: RunnableAgent, messages: tuple[LLMMessage, ...]) -> LoopState:
    """Where the turn begins, with nothing done."""
    most_steps = runnable.definition.max_steps
    return LoopState(
        messages=messages,
        max_steps=min(most_steps, agent_request.limits.get("max_steps", most_steps)),
        rules=runnable.rules,
        output_schema=agent_request.structured_output,
    )


def opening(agent_request: AgentRequest) -> list[NewEvent]:
    """Written with the first step; a later attempt repeats none of what is there."""
    return [
        NewEvent(event_type=EventKind.TRACE_STARTED, key="request.started", payload={"message": agent_request.message}),
        NewEvent(
            event_type=EventKind.AGENT_RUN_START,
            key="agent.run.start",
            payload={"step_id": 0, "payload": {"user_message": agent_request.message}},
        ),
    ]


def loaded(agent_request: AgentRequest, *, turn_count: int) -> list[NewEvent]:
    about = {"message": agent_request.message, "turn_count": turn_count}
    loaded = [NewEvent(event_type=EventKind.CONTEXT_LOADED, key="context.loaded", payload=about)]
    if agent_request.was_lost:
        recovered = {"attempt": agent_request.attempt, "lost_leases": agent_request.lost_leases}
        loaded.append(NewEvent(event_type=EventKind.REQUEST_RECOVERED, payload=recovered))
    return loaded
