"""When the sweeper takes django-q2's queue for dead."""

import pytest

from agents.stop_signal import StopSignal
from runtime import cluster
from runtime.sweeper import Sweeper


class Engine:
    owner = "test"

    def __init__(self) -> None:
        self.held: dict[int, StopSignal] = {}
        self.deliveries = 0

    def sweep_in(self, request_pk: int) -> bool:
        return False

    def free_threads(self) -> int:
        return 0


@pytest.fixture
def restarts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    asked: list[bool] = []
    monkeypatch.setattr(cluster, "queue_answers", lambda: True)
    monkeypatch.setattr(cluster, "ask_for_restart", lambda: asked.append(True))
    return asked


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("runtime.sweeper.time.monotonic", lambda: now[0])
    return now


def test_a_burst_that_was_swept_in_does_not_make_the_quiet_after_it_suspicious(restarts, clock):
    watching = Sweeper(Engine())
    watching._watch_queue(5)
    clock[0] += 31
    watching._watch_queue(0)
    assert not restarts


def test_a_queue_that_stays_silent_while_requests_come_is_restarted_once(restarts, clock):
    watching = Sweeper(Engine())
    clock[0] += 31
    for _ in range(4):
        watching._watch_queue(1)
    assert len(restarts) == 1


def test_a_delivery_clears_the_suspicion(restarts, clock):
    engine = Engine()
    watching = Sweeper(engine)
    clock[0] += 31
    watching._watch_queue(2)
    engine.deliveries += 1
    watching._watch_queue(2)
    assert not restarts
