"""What will happen in the demo's history: conversations, their turns, and what goes wrong in them."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from agents.tools.ask_user import ASK_USER
from agents.tools.subagent import INVOKE_SUBAGENT
from runtime.kinds import Reason
from telemetry.demo.characters import CHARACTERS, USERS, Character

_SHORT_TURNS = 6
# Of a thousand turns
_ENDS = {
    Reason.CANCELLED: 16,
    Reason.PROVIDER_ERROR: 14,
    Reason.MAX_STEPS: 6,
    Reason.SUPERSEDED: 5,
    Reason.DEADLINE: 4,
    Reason.ERROR: 3,
    Reason.BUDGET: 3,
    Reason.INVALID_OUTPUT: 3,
    Reason.TRUNCATED: 2,
    Reason.CONTEXT_OVERFLOW: 2,
    Reason.WORKER_LOST: 1,
    Reason.QUOTA: 1,
    Reason.ROLLED_BACK: 1,
    Reason.APPROVAL_EXPIRED: 1,
}
_TURN_S = 300.0
"""What is left free for a turn, so that no conversation reaches beyond now."""
_SLOW_S = 4000.0
"""The same for one that waits for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPlan:
    end: Reason = Reason.END_TURN
    calls: tuple[tuple[str, ...], ...] = ()
    """The tools that the model calls, step by step; then it answers."""
    end_at: int = 0
    """The step at which anything but an answer ends the turn."""
    hold: str = ""
    """Where a request that goes on right now stands: running, stalled, asked, delegated, accepted or waiting."""
    gap_s: float = 60.0
    """From the end of the turn before."""
    retries: int = 0
    falls_back: bool = False
    is_recovered: bool = False
    """Its worker is lost at the first step, and another one takes over."""
    is_resumed: bool = False
    """Goes on after it has failed."""
    is_rerun: bool = False
    waits: str = ""
    is_compaction: bool = False
    answers_in_time: bool = True
    is_structured: bool = False

    @property
    def requests(self) -> int:
        """How many requests it makes in all."""
        return 1 + sum(step.count(INVOKE_SUBAGENT) for step in self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One conversation."""

    number: int
    agent_id: str
    user: str
    begins_at: datetime
    turns: tuple[TurnPlan, ...]

    @property
    def requests(self) -> int:
        return sum(turn.requests for turn in self.turns)


def plan_stories(rng: Random, *, count: int, since: datetime, now: datetime, long_spans: Sequence[int]) -> list[Story]:
    """Conversations that make `count` requests together, in the order in which they begin."""
    stories = list(_stories(rng, count=count, since=since, now=now, long_spans=long_spans))
    return sorted(stories, key=lambda story: story.begins_at)


def _stories(rng: Random, *, count: int, since: datetime, now: datetime, long_spans: Sequence[int]) -> Iterator[Story]:
    number, left = 0, count
    for spans in long_spans:
        plan = TurnPlan(calls=tuple(("run_sql", "calculate", "run_sql", "run_sql") for _ in range(spans // 5)))
        begins_at = since + (now - since) * (0.75 + 0.05 * number)
        yield Story(number=number, agent_id="analyst", user="ada@example.com", begins_at=begins_at, turns=(plan,))
        number, left = number + 1, left - 1
    while left > 0:
        agent_id = _character(rng).agent_id
        fitting = (_fitting(turn, agent_id) for turn in _turns(rng, left))
        turns, needed_s = _within(fitting, (now - since).total_seconds())
        # Of its own, for how much it draws depends on what time it is.
        clock = Random(rng.getrandbits(64))  # noqa: S311  nothing secret
        begins_at = _moment(clock, since, now - timedelta(seconds=needed_s))
        story = Story(number=number, agent_id=agent_id, user=rng.choice(USERS), begins_at=begins_at, turns=turns)
        yield story
        number, left = number + 1, left - story.requests


def _turns(rng: Random, left: int) -> tuple[TurnPlan, ...]:
    """Mostly a few, now and then many; never more requests than are left."""
    wanted = rng.randrange(20, 60) if rng.random() < 0.01 else 1 + int(rng.expovariate(1 / 3))
    turns: list[TurnPlan] = []
    for place in range(min(wanted, left)):
        turn = _turn(rng, place)
        if turn.requests > left - sum(earlier.requests for earlier in turns):
            turn = TurnPlan()
        turns.append(turn)
        if sum(turn.requests for turn in turns) >= left:
            break
    return tuple(turns)


def _within(turns: Iterable[TurnPlan], span_s: float) -> tuple[tuple[TurnPlan, ...], float]:
    """As many as end within the history, and how long they may take. One stays in any case, if a plain one."""
    kept: list[TurnPlan] = []
    needed_s = 0.0
    for turn in turns:
        if needed_s + turn.gap_s + _length_s(turn) > span_s:
            break
        needed_s += turn.gap_s + _length_s(turn)
        kept.append(turn)
    return tuple(kept) or (TurnPlan(),), needed_s or _TURN_S


def _turn(rng: Random, place: int) -> TurnPlan:
    gap_s = 0.0 if place == 0 else 15 + rng.expovariate(1 / 240)
    if place > 3 and rng.random() < 0.02:
        return TurnPlan(is_compaction=True, gap_s=gap_s)
    end = _end(rng)
    calls = _calls(rng, can_delegate=end == Reason.END_TURN)
    waits = rng.choice(("session_busy", "concurrency_limit")) if place > 0 and rng.random() < 0.02 else ""
    return TurnPlan(
        end=end,
        calls=calls,
        end_at=rng.randrange(len(calls) + 1),
        gap_s=0.0 if waits else gap_s,
        retries=rng.choice((1, 1, 2)) if rng.random() < 0.02 else 0,
        falls_back=rng.random() < 0.01,
        is_recovered=rng.random() < 0.003,
        is_resumed=end == Reason.PROVIDER_ERROR and rng.random() < 0.3,
        is_rerun=rng.random() < 0.01,
        waits=waits,
        answers_in_time=rng.random() < 0.7,
        is_structured=not calls and rng.random() < 0.01,
    )


def _end(rng: Random) -> Reason:
    if rng.random() >= sum(_ENDS.values()) / 1000:
        return Reason.END_TURN
    return rng.choices(list(_ENDS), weights=list(_ENDS.values()))[0]


def _calls(rng: Random, *, can_delegate: bool) -> tuple[tuple[str, ...], ...]:
    """Names of any agent's tools; `_fitting` makes them the agent's own."""
    drawn = rng.random()
    if drawn < 0.58:
        return ()
    if drawn < 0.60 and can_delegate:
        return ((INVOKE_SUBAGENT,) * rng.choice((1, 1, 2)),)
    if drawn < 0.615:
        return (("get_order",), (rng.choice(("refund_order", ASK_USER)),))
    steps = 1 if drawn < 0.88 else rng.randrange(2, _SHORT_TURNS)
    return tuple(("search_orders",) * rng.choice((1, 1, 1, 2, 3)) for _ in range(steps))


def _fitting(turn: TurnPlan, agent_id: str) -> TurnPlan:
    """With tools that this agent has. What it cannot do, it does not: its turn is shorter."""
    if agent_id == "support":
        return turn
    own = {"researcher": ("search_docs", "fetch_page"), "writer": ()}.get(agent_id, ("run_sql",))
    calls = tuple(
        tuple(own[place % len(own)] for place, _ in enumerate(step))
        for step in turn.calls
        if own and INVOKE_SUBAGENT not in step
    )
    return replace(turn, calls=calls, end_at=min(turn.end_at, len(calls)))


def _character(rng: Random) -> Character:
    return rng.choices(CHARACTERS, weights=[character.weight for character in CHARACTERS])[0]


def _length_s(turn: TurnPlan) -> float:
    asks = any(name in (ASK_USER, "refund_order") for step in turn.calls for name in step)
    return _SLOW_S if asks else _TURN_S


def _moment(rng: Random, since: datetime, until: datetime) -> datetime:
    """More by day than by night, fewer on weekends, and more lately than long ago."""
    span_s = (until - since).total_seconds()
    if span_s <= 0:
        return since
    while True:
        at = since + timedelta(seconds=span_s * math.sqrt(rng.random()))
        busy = 0.25 + 0.75 * math.sin(math.pi * (at.hour + at.minute / 60) / 24) ** 2
        if rng.random() < busy * (0.5 if at.weekday() >= 5 else 1):
            return at
