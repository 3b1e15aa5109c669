"""One request of the demo while it is played: its row, its log, and what time it pretends to be."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from django.db.models.base import ModelState

from agents.llm.types import LLMTokenUsage
from runtime.events import NewEvent
from runtime.kinds import Status
from runtime.mirrors import mirror_kind, mirror_reference
from runtime.models import AgentRequest, Interaction, RuntimeEvent
from runtime.tally import TALLIED, tally
from runtime.usage import meter
from runtime.usage.totals import COUNTED, METERED
from telemetry.demo.cast import Cast, Player
from telemetry.demo.memory import Memory
from telemetry.demo.plan import TurnPlan

_BETWEEN_EVENTS = timedelta(milliseconds=1)
OWNER = "demo-machine:pid:[4026531836]:4242:1"
LEASE_S = 15
_REQUEST: Any = RuntimeEvent._meta.get_field("agent_request")


@dataclass(slots=True)
class Prices:
    """Of calls that cost the same; the price list takes a tenth of a millisecond a call."""

    changed_at: datetime
    _known: dict[tuple[object, ...], tuple[float | None, str | None]] = field(default_factory=dict)

    def priced(self, agent_request: AgentRequest, event: NewEvent, at: datetime) -> dict[str, object]:
        payload = dict(event.payload)
        if event.event_type not in METERED:
            return payload
        usage = LLMTokenUsage.from_dict(payload["usage"])
        counts = (value for name, value in usage.as_dict().items() if name != "metadata")
        key = (payload["provider"], payload["model"], at >= self.changed_at, *counts)
        if key not in self._known:
            found = meter.priced(agent_request, event.event_type, payload, at)
            self._known[key] = (found["cost_usd"], found["price"])
        payload["cost_usd"], payload["price"] = self._known[key]
        return payload


@dataclass(frozen=True, slots=True)
class Stage:
    """What all requests of the demo share."""

    cast: Cast
    memory: Memory
    prices: Prices
    now: datetime


@dataclass(slots=True, kw_only=True)
class Take:
    stage: Stage
    request: AgentRequest
    player: Player
    plan: TurnPlan
    rng: Random
    at: datetime
    log: list[RuntimeEvent] = field(default_factory=list)
    interactions: list[Interaction] = field(default_factory=list)
    children: list["Take"] = field(default_factory=list)
    answer: str = ""
    """What the agent says in the end."""
    draft: str = ""
    """What it has said so far, of a request that still runs."""

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def claim(self) -> None:
        """A worker takes the request."""
        self.wait(0.01 + self.rng.random() * 0.05)
        request = self.request
        request.trace_id, request.started_at, request.status = self.new_id(), self.at, Status.RUNNING
        self.claim_again()

    def claim_again(self) -> None:
        self.wait(0.02)
        request = self.request
        request.attempt += 1
        request.claimed_sequence, request.lease_owner, request.lease_seconds = len(self.log), OWNER, LEASE_S

    def say(self, *events: NewEvent) -> None:
        """Writes the events to the log, a moment after one another."""
        for event in events:
            self.at += _BETWEEN_EVENTS * (1 + self.rng.random())
            self.log.append(self._row(event, self.at))

    def mirror(self, *rows: RuntimeEvent) -> None:
        """Refers to children's events, in the order of time. Their ids are known when they are written."""
        for row in sorted(rows, key=lambda row: row.created_at):
            event = NewEvent(
                event_type=mirror_kind(row), payload=mirror_reference(row, row.agent_request, self.request)
            )
            self.at = max(self.at, row.created_at)
            self.log.append(self._row(event, self.at))
            self.log[-1].mirrored = row

    def close(self) -> AgentRequest:
        """Brings the row's sums up to its log."""
        told = [(row.event_type, row.payload) for row in self.log]
        counted, used = tally(told), meter.used(told)
        for name in TALLIED:
            setattr(self.request, name, getattr(counted, name))
        for name in COUNTED if used else ():
            if name != "unknown_price_calls":
                setattr(self.request, name, getattr(used, name))
        self.request.has_unknown_price = bool(used and used.unknown_price_calls)
        self.request.last_sequence = len(self.log)
        return self.request

    def family(self) -> Iterable["Take"]:
        """This one and everything that was delegated from it."""
        yield self
        for child in self.children:
            yield from child.family()

    def new_id(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)

    def _row(self, event: NewEvent, at: datetime) -> RuntimeEvent:
        values = {
            "id": None,
            "workspace_id": self.request.workspace_id,
            "sequence": len(self.log) + 1,
            "agent_name": self.player.agent.agent_id,
            "session_id": self.request.session_id,
            "trace_id": event.trace_id or self.request.trace_id,
            "event_type": event.event_type,
            "loop_index": event.loop_index,
            "step_key": (event.key or "") if event.is_step else "",
            "dedupe_key": event.key,
            "payload": self.stage.prices.priced(self.request, event, at),
            "created_at": at,
        }
        # Without what a model does at its making, which takes as long as all that the demo does for an event.
        row = RuntimeEvent.__new__(RuntimeEvent)
        row.__dict__ |= values
        row._state = ModelState()
        belong(row, self.request)
        return row


def belong(row: RuntimeEvent, agent_request: AgentRequest) -> None:
    """As `row.agent_request = agent_request`, without the checks."""
    row.agent_request_id = agent_request.pk
    _REQUEST.set_cached_value(row, agent_request)
