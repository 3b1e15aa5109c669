"""A step's call of the model: the answer, and before it whatever went wrong."""

from agents.llm.errors import LLMError, Overloaded, RateLimited
from agents.llm.types import LLMProvider
from agents.loop import LoopState, after_think
from runtime.ask_model import ModelAnswer, answered_event, name_of
from runtime.events import NewEvent
from runtime.kinds import EventKind, Reason
from runtime.think import completed_events, question_of, started_events
from telemetry.demo.ending import Cut, Held, resume
from telemetry.demo.model import response_of, seconds_of_answer
from telemetry.demo.take import LEASE_S, Take

_MOST_CALLS = 4
_OVERLOADED = Overloaded("The model is overloaded (529).")
_LIMITED = RateLimited("Too many requests: 50,000 input tokens per minute are allowed.")
_IN_A_CALL = {Reason.PROVIDER_ERROR, Reason.CONTEXT_OVERFLOW}


def think(take: Take, state: LoopState) -> LoopState:
    plan, runnable, began = take.plan, take.player.runnable, take.at
    question = question_of(runnable, state, take.request.context)
    started = started_events(runnable, question)
    take.say(*started)
    is_last = state.loop_index == plan.end_at
    if plan.hold in {"running", "stalled"} and is_last:
        take.draft = take.answer[: len(take.answer) // 2]
        raise Held
    if state.loop_index == 0 and plan.is_recovered:
        _recover(take)
        take.say(*started)
    if plan.end in _IN_A_CALL and is_last:
        _fail(take, state)
        take.say(*started)
    llm = _trouble(take, state)
    response = response_of(take, state)
    take.wait(seconds_of_answer(take, response.usage))
    answer = ModelAnswer(response=response, llm=llm)
    duration_ms = round((take.at - began).total_seconds() * 1000)
    state = after_think(state, response)
    take.say(
        answered_event(question, answer, duration_ms=duration_ms),
        *completed_events(runnable, state, answer, duration_ms=duration_ms, trace_id=str(take.request.trace_id)),
    )
    return state


def _recover(take: Take) -> None:
    """The worker is lost here, and another one takes the request over when the lease has run out."""
    take.wait(LEASE_S + take.rng.random())
    take.claim_again()
    take.request.lost_leases = 1
    about = {"attempt": take.request.attempt, "lost_leases": 1}
    take.say(NewEvent(event_type=EventKind.REQUEST_RECOVERED, payload=about))


def _fail(take: Take, state: LoopState) -> None:
    """Ends the run; comes back when somebody resumes it."""
    llm = take.player.runnable.llm
    if take.plan.end == Reason.PROVIDER_ERROR:
        for number in range(1, _MOST_CALLS):
            _retry(take, state, number, llm, _OVERLOADED)
        _failed_call(take, state, llm, _OVERLOADED)
    cut = Cut(take.plan.end)
    if not take.plan.is_resumed:
        raise cut
    resume(take, cut)


def _trouble(take: Take, state: LoopState) -> LLMProvider:
    """What goes wrong before the first answer, and who gives it in the end."""
    runnable = take.player.runnable
    if state.loop_index > 0:
        return runnable.llm
    for number in range(1, take.plan.retries + 1):
        _retry(take, state, number, runnable.llm, _LIMITED)
    if not take.plan.falls_back or runnable.fallback_llm is None:
        return runnable.llm
    _failed_call(take, state, runnable.llm, _OVERLOADED)
    models = {"from": name_of(runnable.llm), "to": name_of(runnable.fallback_llm)}
    about = {"code": _OVERLOADED.code, "error": _OVERLOADED.message}
    take.say(NewEvent(event_type=EventKind.LLM_FALLBACK, loop_index=state.loop_index, payload={**models, **about}))
    return runnable.fallback_llm


def _retry(take: Take, state: LoopState, number: int, llm: LLMProvider, error: LLMError) -> None:
    _failed_call(take, state, llm, error)
    delay_s = round(take.rng.random() * 2**number, 3)
    about = {"attempt": number, "delay_s": delay_s, "code": error.code, "error": str(error)}
    take.say(NewEvent(event_type=EventKind.LLM_RETRY, loop_index=state.loop_index, payload=about))
    take.wait(delay_s)


def _failed_call(take: Take, state: LoopState, llm: LLMProvider, error: LLMError) -> None:
    seconds = 0.2 + take.rng.random()
    take.wait(seconds)
    about = {"error": error.message, "error_code": error.code, "duration_ms": round(seconds * 1000), "payload": {}}
    take.say(
        NewEvent(event_type=EventKind.LLM_REQUEST_ERROR, loop_index=state.loop_index, payload={**name_of(llm), **about})
    )
