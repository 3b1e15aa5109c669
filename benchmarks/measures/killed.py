"""The whole worker cluster is killed with 50 requests in their turns, and started again."""

import asyncio
import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

from benchmarks import load
from benchmarks.results import Result
from benchmarks.stack import Stack
from benchmarks.wire import Client, Frame

_REQUESTS = 50
# Four model calls of a second each: the kill comes when all have finished one and wait for another.
_ROUNDS = 3
_BEGUN_WITHIN_S = 20.0
_WITHIN_S = 60.0
_BUDGET_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """What one request's stream told, and how often the model was asked for it."""

    frames: list[Frame]
    model_calls: int

    @property
    def events(self) -> list[dict[str, Any]]:
        return [frame.data for frame in self.frames if frame.name == "agent.trace"]

    def times(self, kind: str) -> list[float]:
        return [event["created_at"] for event in self.events if event["event_type"] == kind]

    @property
    def has_ended_well(self) -> bool:
        terminal = [frame.name for frame in self.frames if frame.name in {"request.completed", "request.error"}]
        return terminal == ["request.completed"]

    @property
    def is_gapless(self) -> bool:
        return [frame.cursor for frame in self.frames] == list(range(1, len(self.frames) + 1))

    @property
    def repeated_steps(self) -> int:
        """Thinks begun after the same one had been finished, and model calls that no lost attempt explains."""
        finished: set[int] = set()
        again = 0
        for event in self.events:
            if event["event_type"] == "runtime.llm.think.started":
                again += event["loop_index"] in finished
            elif event["event_type"] == "runtime.llm.think.completed":
                finished.add(event["loop_index"])
        lost_attempts = len(self.times("runtime.request.recovered"))
        return again + max(0, self.model_calls - len(finished) - lost_attempts)


async def measure(stack: Stack) -> list[Result]:
    keys = [f"kill-{load.new_session()}" for _ in range(_REQUESTS)]
    clients = [load.new_client(stack) for _ in keys]
    try:
        streams = [asyncio.ensure_future(_run(*pair)) for pair in zip(clients, keys, strict=True)]
        await _until_all_have_a_step(stack, keys)
        # A thread, so that the streams are read in the meantime.
        restarted_at = await asyncio.to_thread(stack.kill_and_restart_workers)
        done, stuck = await asyncio.wait(streams, timeout=_WITHIN_S)
        for stream in stuck:
            stream.cancel()
    finally:
        for client in clients:
            client.close()
    answered = [stream.result() for stream in done if stream.exception() is None]
    stories = [_Story(frames=frames, model_calls=_model_calls(stack, key)) for key, frames in answered]
    return _judge(stories, restarted_at)


async def _until_all_have_a_step(stack: Stack, keys: list[str]) -> None:
    """A second call of the model means that the first one's answer is in the log."""
    begun = time.monotonic()
    while time.monotonic() < begun + _BEGUN_WITHIN_S:
        if all([await asyncio.to_thread(_model_calls, stack, key) > 1 for key in keys]):
            return
        await asyncio.sleep(0.1)


async def _run(client: Client, key: str) -> tuple[str, list[Frame]]:
    message = f"tools={_ROUNDS} say=done latency=1 key={key}"
    return key, await load.follow(client, await load.submit(client, load.new_session(), message))


def _model_calls(stack: Stack, key: str) -> int:
    with urllib.request.urlopen(f"{stack.model_url}/count?key={key}", timeout=10) as answer:
        return int(json.load(answer)["count"])


def _judge(stories: list[_Story], restarted_at: float) -> list[Result]:
    well = sum(story.has_ended_well and story.is_gapless for story in stories)
    repeated = sum(story.repeated_steps for story in stories)
    recoveries = [times for story in stories if (times := story.times("runtime.request.recovered"))]
    recovered = [times[0] for times in recoveries]
    again = [times[-1] - restarted_at for times in recoveries if len(times) > 1]
    twice = f", {len(again)} of them again, the last {max(again):.1f} s after the restart" if again else ""
    finished_before = sum(
        at < min(recovered, default=0) for story in stories for at in story.times("runtime.llm.think.completed")
    )
    calls = sum(story.model_calls for story in stories)
    running_s = max(recovered, default=float("inf")) - restarted_at
    ended_s = max((story.frames[-1].received_at for story in stories), default=float("inf")) - restarted_at
    return [
        Result(
            name=f"workers killed with {_REQUESTS} requests running: what is left of them",
            budget="nothing lost, stuck or repeated",
            value=f"{_REQUESTS - well} lost or stuck, {repeated} finished steps repeated",
            passed=well == _REQUESTS and repeated == 0,
            note=f"{len(recovered)} recovered{twice}; {finished_before} steps kept; {calls} model calls for {len(stories)} x {_ROUNDS + 1} answers",
        ),
        Result(
            name="workers killed: restart to all running again",
            budget=f"<= {_BUDGET_S:g} s",
            value=f"{running_s:.1f} s",
            passed=running_s <= _BUDGET_S,
            note=f"from the start of the new process; all done after {ended_s:.1f} s",
        ),
    ]
