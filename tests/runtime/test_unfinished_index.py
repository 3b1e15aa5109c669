"""What looks for unfinished requests reads them alone, however many have ended."""

import pytest
from django.db import connection

from runtime.models import AgentRequest
from runtime.recover import find_runnable
from tests.factories import AgentRequestFactory


@pytest.mark.django_db
def test_unfinished_requests_are_found_by_their_partial_index():
    row = AgentRequestFactory.create()
    assert find_runnable(10) == [row.pk]
    for rows in (AgentRequest.rows.unfinished(), AgentRequest.rows.queued(), AgentRequest.rows.running()):
        plan = rows.order_by("status", "pk").explain()
        assert connection.vendor != "sqlite" or "request_unfinished" in plan, plan


def test_constants_only_are_written_into_a_statement():
    with pytest.raises(ValueError, match="words"):
        str(AgentRequest.rows.filter(status__among=["a'; drop"]).query)


@pytest.mark.django_db
def test_a_full_queue_is_seen_by_that_index_too(workspace):
    AgentRequestFactory.create(workspace=workspace)
    unfinished = workspace.agent_requests.unfinished().order_by("agent_id", "session_id", "pk").values("pk")
    plan = unfinished[10_000:10_001].explain()
    assert connection.vendor != "sqlite" or "request_unfinished_of_session" in plan, plan
