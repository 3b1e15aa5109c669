"""Sessions as the API shows them (contract 2.2.4 to 2.2.6, A35)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from agents.models import Agent
from tests.factories import AgentFactory, SessionFactory, TurnFactory
from workspaces.models import Workspace

pytestmark = pytest.mark.tampers

BASE = "/api/v1/agent/assistant"


@pytest.fixture
def assistant(workspace: Workspace) -> Agent:
    return AgentFactory.create(
        workspace=workspace, agent_id="assistant", role=Agent.Role.PRIMARY, definition={"max_steps": 7, "model": "m"}
    )


@pytest.fixture
def turns(workspace: Workspace, assistant: Agent) -> list[str]:
    """The ids of five turns of the session `talk`, oldest first."""
    session = SessionFactory.create(workspace=workspace, session_id="talk", total_tokens=50, turn_count=5)
    return [str(TurnFactory.create(workspace=workspace, session=session).turn_id) for _ in range(5)]


@pytest.mark.appendix_a("A35")
@pytest.mark.parametrize(
    ("query", "shown"),
    [("", [0, 1, 2, 3, 4]), ("?limit=2", [3, 4]), ("?limit=9", [0, 1, 2, 3, 4]), ("?limit=0", []), ("?limit=-3", [])],
)
def test_history_gives_the_newest_turns_oldest_first(
    api_client: APIClient, turns: list[str], query: str, shown: list[int]
) -> None:
    answer = api_client.get(f"{BASE}/sessions/talk/history{query}").json()["data"]["turns"]
    assert [turn["turn_id"] for turn in answer] == [turns[n] for n in shown]


def test_a_turn_has_the_contracts_keys(api_client: APIClient, turns: list[str]) -> None:
    turn = api_client.get(f"{BASE}/sessions/talk/history?limit=1").json()["data"]["turns"][0]
    keys = {"turn_id", "user_message", "agent_response", "session_total_tokens", "signals", "metadata", "created_at"}
    assert set(turn) == keys
    assert isinstance(turn["created_at"], float)


def test_sessions_are_listed_by_latest_activity_then_id(
    api_client: APIClient, workspace: Workspace, assistant: Agent
) -> None:
    now = timezone.now()
    for name, age in [("b", 1), ("a", 1), ("old", 60), ("new", 0)]:
        SessionFactory.create(workspace=workspace, session_id=name, last_activity_at=now - timedelta(minutes=age))
    SessionFactory.create(workspace=workspace, session_id="foreign", agent_id="another")
    listed = api_client.get(f"{BASE}/sessions").json()["data"]["sessions"]
    assert [row["session_id"] for row in listed] == ["new", "a", "b", "old"]
    assert len(api_client.get(f"{BASE}/sessions?limit=2").json()["data"]["sessions"]) == 2


def test_session_info_of_a_known_and_an_unknown_session(
    api_client: APIClient, workspace: Workspace, turns: list[str]
) -> None:
    for agent_id in ("zeta", "alpha"):
        AgentFactory.create(workspace=workspace, agent_id=agent_id)
    expected = {
        "app_id": "assistant",
        "agent_id": "assistant",
        "session_id": "talk",
        "primary_agent_id": "assistant",
        "subagent_ids": ["alpha", "zeta"],
        "model": "m",
        "max_steps": 7,
        "session_total_tokens": 50,
    }
    assert api_client.get(f"{BASE}/sessions/talk").json()["data"] == expected
    unknown = api_client.get(f"{BASE}/sessions/nobody").json()["data"]
    assert unknown == expected | {"session_id": "nobody", "session_total_tokens": 0}
    blank = api_client.get(f"{BASE}/sessions/%20").json()["data"]["session_id"]
    assert blank == api_client.get(BASE).json()["data"]["session"]["session_id"]


def test_disabled_agents_are_not_listed_and_keep_their_history(
    api_client: APIClient, workspace: Workspace, turns: list[str]
) -> None:
    workspace.agents.update(is_enabled=False)
    assert api_client.get("/api/v1/agent").json()["data"] == {"agents": [], "primary_agent_id": None}
    assert len(api_client.get(f"{BASE}/sessions/talk/history").json()["data"]["turns"]) == 5


def test_the_front_door_needs_no_token_and_has_no_envelope(api_client: APIClient) -> None:
    answer = APIClient().get("/")
    api = {"version": "v1", "base": "/api/v1", "openapi": "/openapi.json", "docs": "/docs"}
    assert answer.json() == {"service": "mash-api", "api": api}
