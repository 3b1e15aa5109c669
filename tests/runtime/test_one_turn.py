"""One turn, from its acceptance to the end of its stream (contract 3.5, A1)."""

from agents.models import Agent
from tests.conftest import Driver
from tests.web import Web


def test_a_request_runs_to_its_end(web: Web, agent: Agent, run_requests: Driver) -> None:
    path = f"/api/v1/agent/{agent.agent_id}/request"
    accepted = web.post(path, {"message": "say=hello", "session_id": "s"}).json()["data"]
    [agent_request] = run_requests()
    assert agent_request.status == "completed", agent_request.error
    frames = web.get(f"{path}/{accepted['request_id']}/events").frames()
    assert [frame.id for frame in frames] == list(range(1, agent_request.last_sequence + 1))
    assert frames[-1].event == "request.completed"
    assert frames[-1].data["response"]["text"] == "hello"
