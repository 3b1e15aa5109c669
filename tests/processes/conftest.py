"""A real deployment per stack, shared by the tests of this room; each test leaves it whole and held against the promises."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos.check import Evidence, gather, violations
from benchmarks.chaos.client import Submitted, Transcript
from benchmarks.chaos.stack import Kind, Stack

LEASE_S = 3
# The suite runs once per column (tests/run.py); the deployment has servers of its own, for they are killed too.
KIND: Kind = "postgres" if os.environ.get("MASH_DATABASE_URL") else "sqlite"
# A full disk is SQLite's trouble here.
collect_ignore = ["test_disk_full.py"] if KIND == "postgres" else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.processes)
            # A machine with other work to do takes several times as long.
            item.add_marker(pytest.mark.timeout(180))


@pytest.fixture(scope="session")
def deployment() -> Iterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="mash-") as name:
        # PostgreSQL's own user must be able to enter.
        Path(name).chmod(0o755)
        with Stack(KIND, Path(name), environment={"MASH_LEASE_SECONDS": str(LEASE_S)}) as stack:
            yield stack


@pytest.fixture
def stack(deployment: Stack) -> Iterator[Stack]:
    """The deployment with everything running, before the test and after it."""
    deployment.ensure_running()
    yield deployment
    deployment.ensure_running()


@pytest.fixture
def cluster(stack: Stack):
    return stack.clusters[0]


class Story:
    """The requests and streams of one test."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack = stack
        self.name = name
        self.submitted: list[Submitted] = []
        self.transcripts: list[Transcript] = []

    def submit(self, words: str, *, session_id: str = "") -> Submitted:
        key = f"{self.name}-{len(self.submitted)}"
        submitted = self.stack.client.submit(key, words, session_id or key)
        assert submitted is not None, "never accepted"
        self.submitted.append(submitted)
        return submitted

    def transcript(self, submitted: Submitted) -> Transcript:
        self.transcripts.append(Transcript(submitted.request_id))
        return self.transcripts[-1]

    def evidence(self) -> Evidence:
        """Everything in the deployment: a later test must not spoil an earlier one's requests either."""
        with self.stack.log() as log:
            calls = self.stack.model.recording.steps
            return gather(log, self.stack.ledger(), calls, self.submitted, self.transcripts)

    def wait_until_status(self, submitted: Submitted, status: str, within_s: float = 30) -> None:
        what = f"{submitted.key} is {status}"
        self.stack.wait_for(what, lambda log: log.request(submitted.request_id).status == status, within_s)

    def wait_until_event(self, submitted: Submitted, event_type: str, within_s: float = 30) -> None:
        def is_there(log) -> bool:
            return any(event.event_type == event_type for event in log.events_of(submitted.request_id))

        self.stack.wait_for(f"{submitted.key} has {event_type}", is_there, within_s)

    def end(self, within_s: float = 60) -> Evidence:
        """Waits for every request and holds all promises against what is there."""
        self.stack.wait_for_all(within_s)
        evidence = self.evidence()
        assert violations(evidence) + self.stack.differences() == []
        return evidence


@pytest.fixture
def story(stack: Stack, request: pytest.FixtureRequest) -> Story:
    return Story(stack, request.node.originalname.removeprefix("test_"))
