"""Requests that wait for a slot: they look like nobody's fault, and do not hide idle agents."""

import pytest

from agents.models import Agent
from runtime import lease
from runtime.claim import claim
from runtime.finish import Outcome, complete
from runtime.kinds import WaitReason
from runtime.models import AgentRequest
from runtime.recover import count_accepted, find_runnable
from tests.factories import AgentFactory, AgentRequestFactory
from workspaces.models import Workspace


@pytest.fixture
def crowded(workspace: Workspace) -> list[AgentRequest]:
    """An agent with one slot: one request runs, twenty have been told to wait."""
    agent: Agent = AgentFactory.create(workspace=workspace, definition={"max_concurrent_requests": 1})
    requests = AgentRequestFactory.create_batch(21, workspace=workspace, agent=agent)
    for request in requests:
        claim(request.pk, lease.new_owner())
    return requests


def test_a_request_that_waits_for_a_slot_is_no_missed_delivery(crowded: list[AgentRequest]) -> None:
    waiting = AgentRequest.rows.get(pk=crowded[1].pk)
    assert waiting.wait_reason == WaitReason.CONCURRENCY_LIMIT
    found = find_runnable(50)
    assert found == [waiting.pk]
    assert count_accepted(found) == 0
    fresh = AgentRequestFactory.create(workspace=crowded[0].workspace)
    assert count_accepted(find_runnable(50)) == 1
    assert fresh.pk in find_runnable(50)


@pytest.mark.tampers
def test_a_long_line_before_one_agent_does_not_hide_another(crowded: list[AgentRequest], workspace: Workspace) -> None:
    other: Agent = AgentFactory.create(workspace=workspace, definition={"max_concurrent_requests": 1})
    first, second = AgentRequestFactory.create_batch(2, workspace=workspace, agent=other)
    owner = lease.new_owner()
    running = claim(first.pk, owner)
    assert running is not None
    assert claim(second.pk, owner) is None
    assert {crowded[1].pk, second.pk} <= set(find_runnable(50))
    complete(running, [], Outcome(text="done", signals={}, input_tokens=1, output_tokens=1))
    assert claim(second.pk, owner) is not None
