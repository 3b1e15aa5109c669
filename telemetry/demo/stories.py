"""Plays all conversations of the demo's history at once, so that what is written is in the order of time."""

import heapq
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from runtime.accept import accepted_event
from runtime.events import NewEvent
from runtime.kinds import EventKind, Reason, WaitReason
from runtime.models import AgentRequest
from telemetry.demo import compaction
from telemetry.demo.casting import cast_request
from telemetry.demo.characters import CHARACTERS
from telemetry.demo.ending import CANCELLATIONS, Cut, end_cut
from telemetry.demo.plan import Story, TurnPlan
from telemetry.demo.play import play
from telemetry.demo.take import Stage, Take
from telemetry.demo.words import ODD, Exchange

_EXCHANGES = {character.agent_id: character.exchanges for character in CHARACTERS}
_ODD_ONE_IN = 16


@dataclass(slots=True)
class Teller:
    """One conversation as far as it has been told."""

    story: Story
    rng: Random
    session_id: str
    told: int = 0
    ended_at: datetime | None = None
    earlier: AgentRequest | None = None
    session_ids: set[str] = field(default_factory=set)

    @property
    def next_plan(self) -> TurnPlan:
        return self.story.turns[self.told]

    @property
    def next_at(self) -> datetime:
        """When the next message comes; one that has to wait comes before the last one is answered."""
        if self.ended_at is None:
            return self.story.begins_at
        if self.next_plan.waits and self.earlier:
            return max(self.earlier.accepted_at, self.ended_at - timedelta(seconds=3))
        return self.ended_at + timedelta(seconds=self.next_plan.gap_s)


def tell(stage: Stage, stories: Sequence[Story], *, seed: str) -> Iterator[tuple[Take, datetime, Collection[str]]]:
    """Each turn with the time before which nothing more will happen, and the sessions that are over with it."""
    coming = list(reversed(stories))
    going: list[tuple[datetime, int, Teller]] = []
    while coming or going:
        while coming and (not going or coming[-1].begins_at <= going[0][0]):
            teller = _begin(coming.pop(), seed)
            heapq.heappush(going, (teller.next_at, teller.story.number, teller))
        at, number, teller = heapq.heappop(going)
        take = _turn(stage, teller, at)
        is_over = teller.told == len(teller.story.turns)
        if not is_over:
            heapq.heappush(going, (teller.next_at, number, teller))
        later = [*(entry[0] for entry in going[:1]), *(story.begins_at for story in coming[-1:])]
        yield take, min(later, default=stage.now), teller.session_ids if is_over else ()


def _begin(story: Story, seed: str) -> Teller:
    rng = Random(f"{seed}:{story.number}")  # noqa: S311  nothing secret
    return Teller(story, rng, _session_id(rng, story))


def _session_id(rng: Random, story: Story) -> str:
    token = f"{rng.getrandbits(32):08x}"
    return rng.choices(
        (f"chat-{story.begins_at:%Y%m%d}-{token}", f"mail/{story.number}/{token}", f"محادثة-{token}", f"{token * 20}"),
        weights=(80, 16, 2, 2),
    )[0]


def _turn(stage: Stage, teller: Teller, at: datetime) -> Take:
    plan, story, rng = teller.next_plan, teller.story, teller.rng
    exchange = _exchange(rng, story.agent_id)
    take = cast_request(
        stage,
        stage.cast.player(story.agent_id, at),
        plan=plan,
        rng=rng,
        at=at,
        session_id=teller.session_id,
        message=exchange.question,
        answer=exchange.answer,
        user=story.user,
    )
    if plan.is_rerun and teller.earlier:
        take.request.rerun_of, take.request.message = teller.earlier, teller.earlier.message
    take.say(accepted_event(take.request))
    _run(take, teller)
    teller.session_ids |= {member.request.session_id for member in take.family()}
    teller.told, teller.ended_at, teller.earlier = teller.told + 1, take.at, take.request
    return take


def _exchange(rng: Random, agent_id: str) -> Exchange:
    bank = ODD if rng.randrange(_ODD_ONE_IN) == 0 else _EXCHANGES[agent_id]
    return rng.choice(bank).told(rng)


def _run(take: Take, teller: Teller) -> None:
    plan = take.plan
    if plan.waits and teller.ended_at:
        position = int(plan.waits == WaitReason.SESSION_BUSY)
        about = {"reason": plan.waits, "position": position}
        take.say(NewEvent(event_type=EventKind.REQUEST_WAITING, payload=about))
        take.request.wait_reason = plan.waits if plan.end in CANCELLATIONS else ""
        take.at = max(take.at, teller.ended_at)
    if plan.end in CANCELLATIONS and plan.end_at == 0 and take.rng.random() < 0.3:
        end_cut(take, Cut(Reason(plan.end)))
        return
    take.claim()
    take.request.wait_reason = ""
    if plan.is_compaction:
        compaction.play_compaction(take)
    else:
        play(take)
