"""How tests of attachments send files."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import AgentRequest
from tests.samples import text_of
from workspaces.models import Workspace

Submit = Callable[..., Any]


def upload(client: APIClient, content: bytes, name: str = "file") -> Any:
    return client.post("/api/v1/attachments", {"name": name, "data": text_of(content)}, "json")


@pytest.fixture
def submit(api_client: APIClient, agent: Agent) -> Submit:
    def submit(*attachments: dict[str, object], message: str = "say=seen", **headers: str) -> Any:
        body = {"message": message, "session_id": "s", "attachments": attachments}
        return api_client.post(f"/api/v1/agent/{agent.agent_id}/request", body, "json", headers=headers)

    return submit


def request_of(workspace: Workspace, answer: Any) -> AgentRequest:
    assert answer.status_code == 200, answer.content
    return workspace.agent_requests.get(request_id=answer.json()["data"]["request_id"])
