"""What goes on in the demo right now: requests that run, wait, or have a question.

Nobody works on them. When a lease has run out a worker of this deployment takes its request over, as it would any that lost
its worker, and finishes it with the demo's offline model.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from agents.tools.ask_user import ASK_USER
from agents.tools.subagent import INVOKE_SUBAGENT
from runtime.accept import accepted_event
from runtime.events import NewEvent
from runtime.kinds import EventKind, Status, WaitReason
from telemetry.demo.casting import cast_request
from telemetry.demo.plan import TurnPlan
from telemetry.demo.play import play
from telemetry.demo.take import Stage, Take
from telemetry.demo.words import ODD, SUPPORT, Exchange

_LEASED_FOR = timedelta(minutes=1)
_HELD = (
    (TurnPlan(hold="asked", calls=((ASK_USER,),), end_at=9), SUPPORT[4], 1),
    (TurnPlan(hold="asked", calls=(("calculate",),), end_at=9), SUPPORT[1], 0),
    (TurnPlan(hold="asked", calls=(("current_time",), (ASK_USER,)), end_at=9), ODD[0], 0),
    (TurnPlan(hold="delegated", calls=((INVOKE_SUBAGENT,),), end_at=9), SUPPORT[3], 0),
    (TurnPlan(hold="running", calls=(("current_time",),), end_at=1), SUPPORT[0], 2),
    (TurnPlan(hold="running"), ODD[3], 0),
    (TurnPlan(hold="stalled", calls=(("current_time",),), end_at=1), SUPPORT[5], 0),
)
"""What is held, what was asked, and how many more messages wait behind it."""


def tell_live(stage: Stage, *, seed: str) -> Iterator[Take]:
    for number, (plan, exchange, behind) in enumerate(_HELD):
        session_id = f"live-{number}-{Random(f'{seed}:live:{number}').getrandbits(32):08x}"  # noqa: S311  nothing secret
        began = stage.now - timedelta(minutes=3 + number)
        yield _ending_by(partial(_held, stage, plan, exchange, session_id, seed), began, stage.now)
        for place in range(behind):
            is_seen = place + 1 < behind or behind == 1
            at = stage.now - timedelta(seconds=50 - 20 * place)
            yield _behind(stage, at, session_id, seed=f"{seed}:{place}", is_seen=is_seen, position=place + 1)


def _ending_by(play_at: Callable[[datetime], Take], began: datetime, now: datetime) -> Take:
    """Played twice, the second time so much earlier that nothing of it is still to come."""
    take = play_at(began)
    late = take.at - (now - timedelta(seconds=2))
    return play_at(began - late) if late > timedelta() else take


def _held(stage: Stage, plan: TurnPlan, exchange: Exchange, session_id: str, seed: str, at: datetime) -> Take:
    take = _sent(stage, plan, exchange, at, session_id, seed)
    take.claim()
    play(take)
    for member in take.family():
        if member.request.status == Status.RUNNING:
            is_stalled = plan.hold == "stalled"
            member.request.lease_expires_at = stage.now + (-timedelta(minutes=2) if is_stalled else _LEASED_FOR)
    return take


def _behind(stage: Stage, at: datetime, session_id: str, *, seed: str, is_seen: bool, position: int) -> Take:
    """A message to a session that is busy; the latest one no worker has looked at yet."""
    take = _sent(stage, TurnPlan(), SUPPORT[6], at, session_id, seed)
    if is_seen:
        take.request.status, take.request.wait_reason = Status.WAITING, WaitReason.SESSION_BUSY
        about = {"reason": WaitReason.SESSION_BUSY, "position": position}
        take.say(NewEvent(event_type=EventKind.REQUEST_WAITING, payload=about))
    return take


def _sent(stage: Stage, plan: TurnPlan, exchange: Exchange, at: datetime, session_id: str, seed: str) -> Take:
    rng = Random(f"{seed}:{session_id}")  # noqa: S311  nothing secret
    told = exchange.told(rng)
    take = cast_request(
        stage,
        stage.cast.latest("support"),
        plan=replace(plan),
        rng=rng,
        at=at,
        session_id=session_id,
        message=told.question,
        answer=told.answer,
        user="ada@example.com",
    )
    take.say(accepted_event(take.request))
    return take
