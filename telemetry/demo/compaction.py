"""Summaries of long conversations of the demo: before a turn, or on a person's wish."""

from agents.llm.types import LLMContentBlock, LLMMessage, LLMResponse
from runtime.ask_model import ModelAnswer, Question, answered_event, asking_event, name_of
from runtime.compact import Compaction, checkpoint_of, summary_payload, summary_turn_id
from runtime.events import NewEvent
from runtime.kinds import EventKind
from runtime.summarize import PROMPT, Summary
from telemetry.demo import ending
from telemetry.demo.model import seconds_of_answer, usage_of
from telemetry.demo.take import Take
from telemetry.demo.words import SUMMARY


def compact_if_due(take: Take) -> Compaction | None:
    """The summary that the turn begins with, when the session has become too long."""
    request, definition = take.request, take.player.runnable.definition
    known = take.stage.memory.conversation(request.agent.agent_id, request.session_id)
    threshold = definition.compaction_token_threshold
    if known is None or threshold <= 0 or known.total_tokens < threshold:
        return None
    if take.rng.random() < 0.1:
        about = {"reason": "auto", "error": "The model is overloaded (529).", "error_code": "overloaded"}
        take.say(NewEvent(event_type=EventKind.COMPACTION_FAILED, key="compaction.failed", payload=about))
        return None
    return _summarize(take, "auto")


def play_compaction(take: Take) -> None:
    """A request that is nothing but a summary."""
    request = take.request
    take.say(NewEvent(event_type=EventKind.TRACE_STARTED, key="request.started", payload={"message": request.message}))
    done = _summarize(take, "manual")
    known = take.stage.memory.conversation(request.agent.agent_id, request.session_id)
    ending.complete_compaction(take, done, known.total_tokens if known else 0)


def _summarize(take: Take, reason: str) -> Compaction:
    request, runnable, memory = take.request, take.player.runnable, take.stage.memory
    agent_id, limit = request.agent.agent_id, runnable.definition.compaction_turn_limit
    known = memory.conversation(agent_id, request.session_id)
    turns = known.shown(limit) if known else ()
    if not turns:
        return Compaction()
    turn_id = summary_turn_id(request)
    transcript = LLMMessage(role="user", content=[LLMContentBlock.text("The turns so far.")])
    question = Question(system=PROMPT, messages=[transcript], temperature=0.0, trace_id=turn_id, needs_text=True)
    usage = usage_of(take, messages=len(turns) * 2, said=len(SUMMARY))
    answer = ModelAnswer(response=LLMResponse(text=SUMMARY, usage=usage), llm=runnable.llm)
    began = take.at
    take.say(asking_event(question, runnable.llm))
    take.wait(seconds_of_answer(take, usage))
    duration_ms = round((take.at - began).total_seconds() * 1000)
    take.say(answered_event(question, answer, duration_ms=duration_ms))
    facts = {**name_of(runnable.llm), "usage": usage.as_dict(), "duration_ms": duration_ms}
    payload = summary_payload(
        Summary(text=SUMMARY, facts=facts), turns, turn_id=turn_id, reason=reason, limit=limit, total=0
    )
    completed = NewEvent(
        event_type=EventKind.COMPACTION_COMPLETED, key="compaction.completed", payload=payload, trace_id=turn_id
    )
    take.say(completed)
    checkpoint = checkpoint_of(payload, agent_id=agent_id, created_at=take.at)
    memory.save(agent_id, request.session_id, checkpoint)
    return Compaction(summary_text=SUMMARY, turn_id=payload["turn_id"])
