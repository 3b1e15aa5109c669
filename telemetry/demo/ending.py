"""How the demo's requests end, or where those stand that go on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from agents.build import AgentNotRunnable
from agents.llm.errors import ContextTooLong, Overloaded
from agents.loop import Fail, Finish, LoopState
from agents.memory.history import NewTurn
from agents.signals import persisted_only
from runtime.compact import Compaction
from runtime.errors import DeadlineExceeded
from runtime.events import NewEvent
from runtime.execute import error_body
from runtime.finish import Outcome, completed_body, end_event, stored_events, turn_metadata
from runtime.kinds import EventKind, PauseReason, Reason, Status
from runtime.turn import TurnFailed
from runtime.turn_signals import collect_signals
from runtime.usage.budget import BudgetExceeded
from telemetry.demo.take import LEASE_S, Take

CANCELLATIONS = (Reason.CANCELLED, Reason.SUPERSEDED, Reason.ROLLED_BACK)
_BOUNDARIES = (*CANCELLATIONS, Reason.DEADLINE, Reason.BUDGET, Reason.QUOTA, Reason.APPROVAL_EXPIRED)
_ERRORS: Mapping[Reason, Exception] = {
    Reason.PROVIDER_ERROR: Overloaded("The model is overloaded (529)."),
    Reason.CONTEXT_OVERFLOW: ContextTooLong("prompt is too long: 214211 tokens > 200000 maximum"),
    Reason.DEADLINE: DeadlineExceeded("The request ran out of time."),
    Reason.BUDGET: BudgetExceeded("The request has spent $0.012480 of the $0.010000 that it may."),
    Reason.ERROR: AgentNotRunnable("This deployment does not offer the tools search_orders here."),
}
_BODIES: Mapping[Reason, Mapping[str, Any]] = {
    Reason.QUOTA: {
        "error": "The workspace has used up what it may spend today.",
        "error_type": "QuotaExceeded",
        "error_code": "quota_exceeded",
        "retryable": True,
    },
    Reason.APPROVAL_EXPIRED: {
        "error": "Nobody approved the call in time.",
        "error_type": "ApprovalExpired",
        "error_code": "approval_expired",
        "retryable": True,
    },
    Reason.WORKER_LOST: {
        "error": "The request lost its worker three times without making progress.",
        "error_type": "WorkerLost",
        "error_code": "worker_lost",
        "retryable": True,
    },
}


class Cut(Exception):
    """The turn ends here, and not by an answer."""

    def __init__(self, reason: Reason, step: Fail | None = None) -> None:
        self.reason, self.step = reason, step

    @property
    def body(self) -> dict[str, Any]:
        """What the end says of the error."""
        if self.step:
            return error_body(TurnFailed(self.step))
        return dict(_BODIES.get(self.reason) or error_body(_ERRORS[self.reason]))


class Held(Exception):
    """The request goes on right now, and its log ends here for the time being."""


def check_boundary(take: Take, state: LoopState) -> None:
    plan = take.plan
    if state.loop_index != plan.end_at:
        return
    if plan.end in _BOUNDARIES:
        raise Cut(plan.end)
    if plan.end == Reason.WORKER_LOST:
        for lost in (1, 2):
            take.wait(LEASE_S + take.rng.random())
            take.claim_again()
            about = {"attempt": take.request.attempt, "lost_leases": lost}
            take.say(NewEvent(event_type=EventKind.REQUEST_RECOVERED, payload=about))
        take.wait(LEASE_S)
        raise Cut(plan.end)


def end_cut(take: Take, cut: Cut) -> None:
    if cut.reason in CANCELLATIONS:
        by = take.rng.choice(("ada", "jonas", take.request.created_by))
        _end(take, Status.CANCELLED, cut.reason, {"reason": cut.reason, "by": by})
        take.request.cancelled_by = by
        take.request.cancel_reason = cut.reason if take.request.attempt else ""
        return
    _end(take, Status.FAILED, cut.reason, {**cut.body, "reason": cut.reason})
    take.request.error = cut.body


def resume(take: Take, cut: Cut) -> None:
    """Fails, and goes on when a person has looked at it."""
    request = take.request
    take.say(end_event(request, Status.FAILED, {**cut.body, "reason": cut.reason}))
    take.wait(20 + take.rng.random() * 100)
    about = {"attempt": request.attempt + 1, "by": take.rng.choice(("ada", "jonas"))}
    request.run, request.run_began_at = request.run + 1, take.at
    take.say(NewEvent(event_type=EventKind.REQUEST_RESUMED, payload=about))
    take.claim_again()


def hold(take: Take, reason: PauseReason, *, wakes_at: datetime | None) -> None:
    """Leaves the request parked."""
    request = take.request
    request.status, request.pause_reason, request.wakes_at = Status.PAUSED, reason, wakes_at
    request.lease_owner, request.lease_expires_at = "", None
    raise Held


def finish_turn(take: Take, state: LoopState, step: Finish, summary: Compaction | None) -> None:
    request = take.request
    reason = Reason.MAX_STEPS if step.stopped_by_limit else Reason.END_TURN
    signals: dict[str, Any] = {}
    if not step.stopped_by_limit:
        signals = collect_signals(request, take.player.runnable, state, text=step.text) | _own_signals(take, step.text)
    outcome = Outcome(
        text=step.text,
        signals=signals,
        input_tokens=state.input_tokens,
        output_tokens=state.output_tokens,
        stop_reason=Reason.MAX_STEPS if step.stopped_by_limit else "",
        structured_output=step.output,
        compaction=summary,
    )
    metadata = turn_metadata(request, outcome)
    assert request.trace_id  # noqa: S101  it has been claimed
    total = take.stage.memory.save(
        request.agent.agent_id,
        request.session_id,
        NewTurn(
            turn_id=request.trace_id,
            user=request.user,
            user_message=request.message,
            agent_response=outcome.text,
            signals=persisted_only(signals),
            tokens=outcome.input_tokens + outcome.output_tokens,
            metadata=metadata,
            created_at=take.at,
        ),
    )
    body = completed_body(request, outcome, metadata, total)
    take.say(*stored_events(outcome, body))
    _end(take, Status.COMPLETED, reason, body)


def complete_compaction(take: Take, done: Compaction, total: int) -> None:
    """As `runtime.finish.complete_compaction` does."""
    request = take.request
    take.close()
    outcome = Outcome(
        text=done.summary_text,
        signals={},
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        compaction=done if done.turn_id else None,
    )
    body = completed_body(request, outcome, turn_metadata(request, outcome), total)
    _end(take, Status.COMPLETED, Reason.END_TURN, body)


def _end(take: Take, status: Status, reason: Reason, body: dict[str, Any]) -> None:
    request = take.request
    take.say(end_event(request, status, body))
    request.status, request.reason, request.finished_at, request.lease_owner = status, reason, take.at, ""
    request.lease_expires_at = take.at + timedelta(seconds=LEASE_S) if request.attempt else None


def _own_signals(take: Take, text: str) -> dict[str, Any]:
    """What an app of one's own would register."""
    is_good = take.rng.random() < 0.85
    quality = round(min(1.0, take.rng.gauss(0.86 if is_good else 0.4, 0.08)), 2)
    return {"answer_length": len(text), "quality": quality, "resolved": is_good}
