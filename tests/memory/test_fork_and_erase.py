"""Copies of sessions, and their erasure (extensions 4)."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver, Remember
from tests.factories import AgentRequestFactory
from tests.web import Web
from workspaces.models import Workspace

BASE = "/api/v1/agent/assistant/sessions"


@pytest.fixture
def assistant(make_agent: AgentMaker) -> Agent:
    return make_agent(row={"agent_id": "assistant"}, compaction_token_threshold=0)


def fork(client: APIClient, body: dict[str, Any], session_id: str = "talk") -> Any:
    return client.post(f"{BASE}/{session_id}/fork", body, format="json")


def test_a_fork_starts_with_a_copy_and_goes_its_own_way(
    api_client: APIClient, assistant: Agent, remember: Remember, workspace: Workspace, run_requests: Driver
) -> None:
    first = remember("one", "1")
    summary = {"type": "summary_checkpoint", "turn_ids": [first]}
    checkpoint = remember("[summary]", "so far", tokens=3, metadata=summary)
    last = remember("two", "2", metadata={"compaction_summary_turn_id": checkpoint})
    remember("three", "3")
    answer = fork(api_client, {"after_turn_id": last, "session_id": "branch"})
    assert answer.json()["data"] == {
        "session_id": "branch",
        "forked_from": "talk",
        "turn_count": 3,
        "session_total_tokens": 13,
    }
    copies = list(workspace.sessions.get(session_id="branch").turns.order_by("pk"))
    assert [turn.agent_response for turn in copies] == ["1", "so far", "2"]
    assert [turn.metadata["forked_from"]["turn_id"] for turn in copies] == [first, checkpoint, last]
    assert copies[1].metadata["turn_ids"] == [str(copies[0].turn_id)]
    assert copies[2].metadata["compaction_summary_turn_id"] == str(copies[1].turn_id)
    assert workspace.sessions.get(session_id="branch").checkpoint_id == copies[1].pk
    AgentRequestFactory.create(workspace=workspace, agent=assistant, session_id="branch", message="say=four")
    run_requests()
    counts = dict(workspace.sessions.values_list("session_id", "turn_count"))
    assert counts == {"talk": 4, "branch": 4}
    search = api_client.get("/api/v1/telemetry/memory/search?q=@user:two&app_id=assistant&session_id=branch")
    assert [row["turn_id"] for row in search.json()["data"]["results"]] == [str(copies[2].turn_id)]
    assert workspace.audit_entries.filter(action="session.forked").exists()


@pytest.mark.parametrize(
    ("session_id", "body", "status", "code"),
    [
        ("nobody", {}, 404, "SESSION_NOT_FOUND"),
        ("talk", {"after_turn_id": "00000000-0000-4000-8000-000000000000"}, 404, "TURN_NOT_FOUND"),
        ("talk", {"after_turn_id": "x"}, 422, "VALIDATION_ERROR"),
        ("talk", {"session_id": "talk"}, 409, "SESSION_EXISTS"),
        ("talk", {"session_id": " "}, 400, "INVALID_REQUEST"),
        ("talk", {"session_id": "x" * 256}, 422, "VALIDATION_ERROR"),
    ],
)
def test_a_fork_that_cannot_be(
    api_client: APIClient, assistant: Agent, remember: Remember, session_id: str, body: Any, status: int, code: str
) -> None:
    remember("one")
    answer = fork(api_client, body, session_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


SECRET = "xyzzy"


def everything_of(workspace: Workspace) -> str:
    """All that the database holds of the workspace's requests, log and memory."""
    rows: list[Any] = []
    for relation in (workspace.agent_requests, workspace.events, workspace.interactions, workspace.response_drafts):
        rows += relation.values()
    for memory in (workspace.sessions, workspace.turns, workspace.search_entries, workspace.audit_entries):
        rows += memory.values()
    return json.dumps(rows, default=str)


@pytest.fixture
def talked(workspace: Workspace, make_agent: AgentMaker, assistant: Agent, run_requests: Driver) -> list[AgentRequest]:
    """A session with a turn that used a tool, one that delegated, and one that failed; the secret is everywhere."""
    make_agent(row={"agent_id": "helper"}, display_name="Helper", description="Helps.")
    boss = make_agent(row={"agent_id": "boss", "role": Agent.Role.PRIMARY}, max_delegation_depth=1)
    workspace.agents.filter(pk=assistant.pk).delete()
    workspace.agents.filter(pk=boss.pk).update(agent_id="assistant")
    boss.refresh_from_db()
    delegated = json.dumps({"agent_id": "helper", "prompt": f"say={SECRET}"})
    for message in (
        f"tools=1 tool=echo args={json.dumps({'text': SECRET})} say={SECRET}",
        f"tools=1 tool=InvokeSubagent args={delegated} say={SECRET}",
        f"fail=400 {SECRET}",
    ):
        AgentRequestFactory.create(
            workspace=workspace,
            agent=boss,
            session_id="talk",
            message=message,
            context=SECRET,
            user=SECRET,
            metadata={"secret": SECRET},
        )
    run_requests()
    return list(workspace.agent_requests.order_by("pk"))


def test_nothing_of_an_erased_session_is_left(
    web: Web, workspace: Workspace, talked: list[AgentRequest], run_requests: Driver
) -> None:
    assert [row.status for row in talked] == ["completed", "completed", "failed", "completed"]
    assert SECRET in everything_of(workspace)
    answer = web.call("DELETE", f"{BASE}/talk")
    assert answer.status == 200, answer.body
    data = answer.json()["data"]
    assert data["session_id"] == "talk"
    counts = {"sessions": 2, "turns": 3, "requests": 4, "interactions": 0, "drafts": 0, "attachments": 0}
    assert {name: data["erased"][name] for name in counts} == counts
    assert data["erased"]["events"] == workspace.events.count()
    assert (data["erased"]["search_entries"], data["erased"]["signals"]) == (3, 6)
    assert SECRET not in everything_of(workspace)
    assert workspace.audit_entries.get(action="session.erased").details == data["erased"]


def test_what_was_erased_can_still_be_read(
    web: Web, api_client: APIClient, workspace: Workspace, talked: list[AgentRequest]
) -> None:
    before = {row.pk: row.last_sequence for row in talked}
    web.call("DELETE", f"{BASE}/talk")
    for row in workspace.agent_requests.with_agent():
        path = f"/api/v1/agent/{row.agent.agent_id}/request/{row.request_id}"
        frames = web.get(f"{path}/events?events=2").frames()
        assert [frame.id for frame in frames] == list(range(1, before[row.pk] + 1))
        assert frames[-1].event in {"request.completed", "request.error"}
        assert frames[-1].data["erased"] is True
        status = api_client.get(path).json()["data"]
        assert (status["status"], status["request_seq"]) == (row.status, before[row.pk])
        for verb in ("resume", "rerun"):
            again = api_client.post(f"{path}/{verb}")
            assert again.status_code == 409, (verb, again.content)
    assert api_client.get(f"{BASE}/talk/history").json()["data"]["turns"] == []
    assert api_client.get("/api/v1/agent/assistant/requests").json()["data"]["requests"]
    assert web.call("DELETE", f"{BASE}/talk").json()["data"]["erased"]["events"] == 0


def test_a_session_at_work_is_not_erased(web: Web, workspace: Workspace, assistant: Agent, remember: Remember) -> None:
    remember("kept")
    active = AgentRequestFactory.create(workspace=workspace, agent=assistant, session_id="talk")
    answer = web.call("DELETE", f"{BASE}/talk")
    assert (answer.status, answer.json()["error"]["code"]) == (409, "SESSION_BUSY")
    assert answer.json()["error"]["details"] == {"request_id": str(active.request_id)}
    assert workspace.turns.count() == 1
    assert web.call("DELETE", f"{BASE}/nobody").status == 404


def test_a_session_is_erased_or_its_request_resumed_and_never_both(
    web: Web, workspace: Workspace, assistant: Agent
) -> None:
    for number in range(8):
        row = AgentRequestFactory.create(workspace=workspace, agent=assistant, session_id=f"s-{number}")
        path = f"/api/v1/agent/assistant/request/{row.request_id}"
        assert web.post(f"{path}/cancel", {}).status == 200
        with ThreadPoolExecutor(2) as both:
            resumed = both.submit(web.post, f"{path}/resume", {})
            erased = both.submit(web.call, "DELETE", f"{BASE}/s-{number}")
        row.refresh_from_db()
        outcome = (resumed.result().status, erased.result().status, row.erased_at is None)
        assert outcome in {(200, 409, True), (409, 200, False)}


def test_a_deleted_workspace_takes_its_memory_along(
    workspace: Workspace, other_workspace: Workspace, remember: Remember
) -> None:
    remember("gone")
    remember("kept", workspace=other_workspace)
    key = workspace.pk
    workspace.delete()
    for model in (other_workspace.turns.model, other_workspace.sessions.model, other_workspace.search_entries.model):
        assert not model.rows.filter(workspace_id=key).exists()
        assert model.rows.filter(workspace=other_workspace).count() == 1
