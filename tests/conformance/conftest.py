"""A client of the contract: sends messages, reads streams and histories, and knows nothing of what is behind the routes."""

from dataclasses import dataclass
from typing import Any

import pytest

from agents.models import Agent
from tests.conftest import AgentMaker, Driver
from tests.web import Frame, Web


@dataclass(frozen=True, slots=True)
class Client:
    """Talks to one deployment; `run` lets its workers do everything that is to be done."""

    web: Web
    run: Driver

    def submit(self, message: str, *, agent_id: str = "primary", session_id: str = "s-1") -> str:
        answer = self.web.post(f"/api/v1/agent/{agent_id}/request", {"message": message, "session_id": session_id})
        assert answer.status == 200, answer.body
        request_id: str = answer.json()["data"]["request_id"]
        return request_id

    def frames(self, request_id: str, *, agent_id: str = "primary") -> list[Frame]:
        """The whole stream, which the server has ended."""
        return self.web.get(f"/api/v1/agent/{agent_id}/request/{request_id}/events").frames()

    def turn(self, message: str, *, agent_id: str = "primary", session_id: str = "s-1") -> list[Frame]:
        request_id = self.submit(message, agent_id=agent_id, session_id=session_id)
        self.run()
        return self.frames(request_id, agent_id=agent_id)

    def get(self, path: str) -> Any:
        answer = self.web.get(f"/api/v1/{path}")
        assert answer.status == 200, answer.body
        return answer.json()["data"]

    def history(self, *, agent_id: str = "primary", session_id: str = "s-1") -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = self.get(f"agent/{agent_id}/sessions/{session_id}/history")["turns"]
        return turns


@pytest.fixture
def client(web: Web, run_requests: Driver) -> Client:
    return Client(web, run_requests)


@pytest.fixture
def primary(make_agent: AgentMaker) -> Agent:
    return make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})


def kind_of(frame: Frame) -> str:
    """The public name or, within a trace, the stored one."""
    return str(frame.data["event_type"]) if frame.event == "agent.trace" else frame.event


def payloads(frames: list[Frame], kind: str) -> list[dict[str, Any]]:
    """What the traces of this kind carry."""
    return [frame.data["payload"] for frame in frames if kind_of(frame) == kind]
