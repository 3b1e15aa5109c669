"""Every test of the runtime ends with two questions: is everything as the log says, and would the loop go the same way again?"""

from collections.abc import Iterator

import pytest

from agents.build import AgentNotRunnable, build_agent
from runtime.begin import first_state
from runtime.models import AgentRequest
from runtime.replay import COMPARED, replay
from runtime.verify.run import Verification
from workspaces.models import Workspace


@pytest.fixture(autouse=True)
def _all_is_as_the_log_says(request: pytest.FixtureRequest) -> Iterator[None]:
    databases = {"db", "transactional_db"} & set(request.fixturenames)
    if not databases or request.node.get_closest_marker("tampers"):
        yield
        return
    # Before this fixture, so that the rows are still there when this one ends.
    request.getfixturevalue(max(databases))
    yield
    for workspace in Workspace.objects.all():
        assert [str(difference) for difference in Verification().differences(workspace)] == []
        for row in workspace.agent_requests.with_agent():
            _replay(row)


def _replay(row: AgentRequest) -> None:
    try:
        runnable = build_agent(row.workspace, row.agent, row.agent_version, depth=row.depth)
    except AgentNotRunnable:
        return
    log = row.events.filter(event_type__in=COMPARED).order_by("sequence")
    places = replay(first_state(row, runnable, ()), log, crash_policy=runnable.crash_policy)
    assert [place for place in places if not place.is_same] == []
