"""Turns as clients see them: POST, then the request's stream to its end."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from benchmarks.cpu import CpuMeter, CpuUse
from benchmarks.stack import Stack
from benchmarks.wire import Client, Frame

AGENT = "/api/v1/agent/echo"
TURN_WITHIN_S = 60.0
ECHO = "say=hello"
THREE_TOOLS = "tools=3 say=done"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    accepted_s: float
    """From the POST to its answer."""
    total_s: float
    """From the POST to `request.completed` on the stream."""
    request_id: str
    opened_at: float
    frames: Sequence[Frame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What many clients got done, and what it cost."""

    turns: int
    elapsed_s: float
    cpu: CpuUse

    @property
    def rate(self) -> float:
        return self.turns / self.elapsed_s


def new_session() -> str:
    return f"s-{next(_numbers)}-{time.time_ns():x}"


def new_client(stack: Stack) -> Client:
    return Client(stack.port, stack.token)


async def submit(client: Client, session: str, message: str) -> str:
    answer = await client.post(f"{AGENT}/request", {"message": message, "session_id": session})
    return str(answer["data"]["request_id"])


def events_path(request_id: str) -> str:
    return f"{AGENT}/request/{request_id}/events"


async def follow(client: Client, request_id: str) -> list[Frame]:
    """All frames of the request, to the end of its stream."""
    async with aclosing(client.stream(events_path(request_id))) as stream:
        return [frame async for frame in stream]


async def run_turn(client: Client, session: str, message: str) -> Turn:
    async with asyncio.timeout(TURN_WITHIN_S):
        began = time.time()
        request_id = await submit(client, session, message)
        accepted = opened = time.time()
        frames = await follow(client, request_id)
    if not frames or frames[-1].name != "request.completed":
        raise RuntimeError(f"{request_id} did not complete: {frames[-1] if frames else 'no frames'}")
    return Turn(
        accepted_s=accepted - began,
        total_s=frames[-1].received_at - began,
        request_id=request_id,
        opened_at=opened,
        frames=frames,
    )


async def run_turns(stack: Stack, count: int, message: str) -> list[Turn]:
    """One client, one session, one turn after the other."""
    client, session = new_client(stack), new_session()
    try:
        return [await run_turn(client, session, message) for _ in range(count)]
    finally:
        client.close()


async def run_clients(stack: Stack, count: int, message: str, *, seconds: float) -> Load:
    """Clients with a session each, that start turns for so long; time counts until the last turn has ended."""
    meter, began = CpuMeter(stack), time.monotonic()
    done = await asyncio.gather(*(_keep_asking(stack, message, began + seconds) for _ in range(count)))
    return Load(turns=sum(done), elapsed_s=time.monotonic() - began, cpu=meter.stop())


async def _keep_asking(stack: Stack, message: str, until: float) -> int:
    client, session, turns = new_client(stack), new_session(), 0
    try:
        while time.monotonic() < until:
            await run_turn(client, session, message)
            turns += 1
    finally:
        client.close()
    return turns
