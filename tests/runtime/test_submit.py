"""What a submission may hold, and how each fault is told (contract 2.2.3, extensions 3; promise 10)."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import AgentRequest
from tests.conftest import Driver, EventLog, client_with
from tests.factories import AgentFactory, AgentRequestFactory
from tests.web import Web
from workspaces.models import Workspace
from workspaces.tokens import issue_token, revoke_token

GOOD = {"message": "hello", "session_id": "s"}


@pytest.fixture
def idle_agent(workspace: Workspace) -> Agent:
    """An agent that nobody runs here: only what the door says matters."""
    return AgentFactory.create(workspace=workspace, agent_id="idle")


@pytest.fixture
def submit(api_client: APIClient, idle_agent: Agent) -> Any:
    def submit(body: Any = None, **headers: str) -> Any:
        return api_client.post("/api/v1/agent/idle/request", {**GOOD, **(body or {})}, "json", headers=headers)

    return submit


FAULTS = [
    ({"message": ""}, 422, "message"),
    ({"message": " \n "}, 400, "message"),
    ({"session_id": ""}, 422, "session_id"),
    ({"session_id": "\t"}, 400, "session_id"),
    ({"message": None}, 422, "message"),
    ({"message": 7}, 422, "message"),
    ({"message": ["hello"]}, 422, "message"),
    ({"message": True}, 422, "message"),
    ({"session_id": "s" * 256}, 422, "session_id"),
    ({"message": "nul\x00"}, 422, "message"),
    ({"session_id": "nul\x00"}, 422, "session_id"),
    ({"context": "nul\x00"}, 422, "context"),
    ({"user": "nul\x00"}, 422, "user"),
    ({"metadata": {"nul\x00": 1}}, 422, "metadata"),
    ({"metadata": {"deep": ["nul\x00"]}}, 422, "metadata"),
    ({"message": "lone \ud800"}, 422, "message"),
    ({"session_id": "lone \ud800"}, 422, "session_id"),
    ({"user": "lone \ud800"}, 422, "user"),
    ({"context": "lone \ud800"}, 422, "context"),
    ({"metadata": {"lone": "\ud800"}}, 422, "metadata"),
    ({"message": "x" * (256 * 1024 + 1)}, 413, "message"),
    ({"message": "é" * (128 * 1024 + 1)}, 413, "message"),
    ({"context": "x" * (64 * 1024 + 1)}, 422, "context"),
    ({"user": "u" * 256}, 422, "user"),
    ({"metadata": []}, 422, "metadata"),
    ({"metadata": {"big": "x" * 16_000}}, 422, "metadata"),
    ({"multitask": "never"}, 422, "multitask"),
    ({"surprise": 1}, 422, "surprise"),
    ({"limits": 3}, 422, "limits"),
    ({"limits": {"max_steps": 0}}, 422, "max_steps"),
    ({"limits": {"max_steps": "many"}}, 422, "max_steps"),
    ({"limits": {"deadline_s": -1}}, 422, "deadline_s"),
    ({"limits": {"deadline_s": True}}, 422, "deadline_s"),
    ({"limits": {"max_steps": "5"}}, 422, "max_steps"),
    ({"limits": {"surprise": 1}}, 422, "surprise"),
    ({"metadata": {"deep": json.loads("[" * 500 + "]" * 500)}}, 422, "body"),
]


@pytest.mark.parametrize(("change", "status", "field"), FAULTS)
def test_a_fault_is_refused_and_named(
    submit: Any, workspace: Workspace, change: dict[str, Any], status: int, field: str
) -> None:
    answer = submit(change)
    assert answer.status_code == status, answer.content
    error = answer.json()["error"]
    named = error["details"].get("param") or error["details"]["errors"][0]["loc"]
    assert field in named, error
    assert not workspace.agent_requests.exists()


@pytest.mark.parametrize("missing", ["message", "session_id"])
def test_a_missing_field_is_named(api_client: APIClient, idle_agent: Agent, missing: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != missing}
    answer = api_client.post("/api/v1/agent/idle/request", body, "json")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["errors"] == [
        {"type": "required", "loc": ["body", missing], "msg": "This field is required."}
    ]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"message": NaN, "session_id": "s"}', "application/json", 422),
        (b'{"message": "\xff", "session_id": "s"}', "application/json", 422),
        (b'{"message": "\xed\xa0\x80", "session_id": "s"}', "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b'{"metadata": ' + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"}", "application/json", 422),
        (b'{"limits": {"max_steps": ' + b"9" * 5000 + b"}}", "application/json", 422),
        (b"message=hello", "application/x-www-form-urlencoded", 415),
        (b"hello", "text/plain", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    api_client: APIClient, idle_agent: Agent, content: bytes, content_type: str, status: int
) -> None:
    answer = api_client.generic("POST", "/api/v1/agent/idle/request", content, content_type)
    assert answer.status_code == status, answer.content
    assert set(answer.json()["error"]) == {"code", "message", "details"}


def test_a_body_over_a_megabyte_is_refused_before_it_is_read(web: Web, agent: Agent) -> None:
    answer = web.post(f"/api/v1/agent/{agent.agent_id}", b" " * (1024 * 1024 + 1))
    assert (answer.status, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    lying = web.post(f"/api/v1/agent/{agent.agent_id}", b" " * (1024 * 1024 + 1), headers={"Content-Length": "7"})
    assert lying.status == 413


@pytest.mark.parametrize("path", ["agent/%00", "agent/a%00b/requests", "agent/idle/sessions/%00", "agent/%ED%A0%80"])
def test_a_path_with_odd_bytes_finds_nothing(web: Web, workspace: Workspace, path: str) -> None:
    AgentFactory.create(workspace=workspace, agent_id="idle")
    answer = web.get(f"/api/v1/{path}")
    assert answer.status in {200, 404}, answer.body
    if answer.status == 200:
        assert answer.json()["data"]["session_total_tokens"] == 0


@pytest.mark.parametrize("path", ["nowhere", "agent/idle/request/not-a-uuid", "agent/idle/"])
def test_an_unknown_route_answers_in_the_envelope(api_client: APIClient, idle_agent: Agent, path: str) -> None:
    answer = api_client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_wrong_method_answers_in_the_envelope(api_client: APIClient, idle_agent: Agent, method: str) -> None:
    answer = api_client.generic(method, "/api/v1/agent/idle/request")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer["Allow"]


def test_a_request_id_under_another_agent_is_not_found(api_client: APIClient, workspace: Workspace) -> None:
    agent_request = AgentRequestFactory.create(workspace=workspace)
    AgentFactory.create(workspace=workspace, agent_id="idle")
    answer = api_client.get(f"/api/v1/agent/idle/request/{agent_request.request_id}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "REQUEST_NOT_FOUND")
    answer = api_client.get(f"/api/v1/agent/nobody/request/{uuid.uuid4()}")
    assert answer.status_code == 404


def test_an_accepted_request_is_stored_as_it_was_sent(submit: Any, workspace: Workspace) -> None:
    extras = {"context": "Be brief.", "user": "ada", "metadata": {"order": [1, None]}, "limits": {"max_steps": 2}}
    answer = submit({"message": "  hello  ", "session_id": " s ", **extras}).json()["data"]
    row = workspace.agent_requests.get(request_id=answer["request_id"])
    assert (row.message, row.session_id, row.status) == ("hello", "s", "accepted")
    assert {name: getattr(row, name) for name in extras} == extras
    assert answer == {"request_id": str(row.request_id), "session_id": "s", "status": "accepted", "request_seq": 1}
    [event] = row.events.all()
    assert (event.sequence, event.event_type) == (1, "runtime.request.accepted")


def test_a_disabled_agent_takes_nothing(submit: Any, workspace: Workspace) -> None:
    workspace.agents.update(is_enabled=False)
    answer = submit()
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "AGENT_DISABLED")


def test_a_full_workspace_says_when_to_come_back(transactional_db: None, submit: Any, workspace: Workspace) -> None:
    type(workspace).objects.filter(pk=workspace.pk).update(max_queued_requests=2)
    assert [submit().status_code for _ in range(3)] == [200, 200, 429]
    answer = submit()
    assert answer.json()["error"]["code"] == "QUEUE_FULL"
    assert answer["Retry-After"] == "1"


class TestIdempotencyKey:
    def test_the_same_submission_answers_the_same_request(self, submit: Any, workspace: Workspace) -> None:
        first, second = (submit(None, **{"Idempotency-Key": "k"}) for _ in range(2))
        assert first.json() == second.json()
        assert (first.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (None, "true")
        assert workspace.agent_requests.count() == 1

    def test_another_submission_under_the_key_is_refused(self, submit: Any, workspace: Workspace) -> None:
        submit(None, **{"Idempotency-Key": "k"})
        for change in ({"message": "other"}, {"user": "other"}, {"limits": {"max_steps": 3}}):
            answer = submit(change, **{"Idempotency-Key": "k"})
            assert (answer.status_code, answer.json()["error"]["code"]) == (422, "IDEMPOTENCY_MISMATCH")
        assert workspace.agent_requests.count() == 1

    def test_a_key_is_forgotten_after_a_day(self, submit: Any, workspace: Workspace) -> None:
        submit(None, **{"Idempotency-Key": "k"})
        with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
            assert submit({"message": "other"}, **{"Idempotency-Key": "k"}).status_code == 200
        assert workspace.agent_requests.count() == 2

    def test_a_key_belongs_to_its_token_and_agent(self, submit: Any, workspace: Workspace) -> None:
        AgentFactory.create(workspace=workspace, agent_id="second")
        submit(None, **{"Idempotency-Key": "k"})
        other = client_with(issue_token(workspace, name="other", actor="tests")[1])
        for path, status in [("idle", 200), ("second", 422)]:
            answer = other.post(f"/api/v1/agent/{path}/request", GOOD, "json", headers={"Idempotency-Key": "k"})
            assert answer.status_code == status

    @pytest.mark.parametrize("key", ["k" * 256, "nul\x00"])
    def test_a_key_that_cannot_be_kept_is_refused(self, submit: Any, key: str) -> None:
        assert submit(None, **{"Idempotency-Key": key}).status_code in {400, 422}


class TestMultitask:
    def test_reject_names_the_active_request(self, transactional_db: None, submit: Any) -> None:
        active = submit().json()["data"]["request_id"]
        answer = submit({"multitask": "reject"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "SESSION_BUSY")
        assert answer.json()["error"]["details"]["request_id"] == active
        assert submit({"multitask": "reject", "session_id": "free"}).status_code == 200

    def test_interrupt_supersedes_what_waits(self, submit: Any, workspace: Workspace, event_log: EventLog) -> None:
        waiting = submit().json()["data"]["request_id"]
        assert submit({"multitask": "interrupt"}).status_code == 200
        row = workspace.agent_requests.get(request_id=waiting)
        assert (row.status, row.reason) == ("cancelled", "superseded")
        assert event_log(row) == ["runtime.request.accepted", "runtime.request.cancelled"]


class TestTokens:
    def test_a_revoked_or_expired_token_is_worth_nothing(self, workspace: Workspace) -> None:
        revoked, revoked_text = issue_token(workspace, name="revoked", actor="tests")
        revoke_token(revoked, actor="tests")
        expired = issue_token(workspace, name="old", actor="tests", expires_at=timezone.now() - timedelta(seconds=1))[1]
        for text in (revoked_text, expired, "mash_nobody_x", "\udcff"):
            answer = client_with(text).get("/api/v1/health")
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
            assert answer["WWW-Authenticate"] == "Bearer"

    def test_a_wrong_bearer_is_not_rescued_by_a_right_cookie(self, token: str) -> None:
        client = client_with("wrong")
        client.cookies["mash_api_key"] = token
        assert client.get("/api/v1/health").status_code == 401
        client.credentials(HTTP_X_API_KEY="wrong")
        assert client.get("/api/v1/health").status_code == 401

    def test_the_cookie_reads_and_changes_nothing(self, token: str, idle_agent: Agent, workspace: Workspace) -> None:
        client = APIClient(raise_request_exception=False)
        client.cookies["mash_api_key"] = token
        assert client.get("/api/v1/health").status_code == 200
        assert client.post("/api/v1/agent/idle/request", GOOD, "json").status_code == 401
        assert not workspace.agent_requests.exists()

    def test_a_key_header_and_any_case_of_bearer_will_do(self, token: str) -> None:
        client = APIClient()
        for headers in ({"X-API-Key": token}, {"Authorization": f"BEARER  {token}"}):
            assert client.get("/api/v1/health", headers=headers).status_code == 200


class TestWaiting:
    def test_prefer_wait_answers_the_end(self, web: Web, agent: Agent, run_requests: Driver) -> None:
        path, key = f"/api/v1/agent/{agent.agent_id}/request", {"Idempotency-Key": "k"}
        accepted = web.post(path, {**GOOD, "message": "say=hello"}, headers=key).json()["data"]
        run_requests()
        answer = web.post(path, {**GOOD, "message": "say=hello"}, headers={**key, "Prefer": "respond-async, wait=5"})
        assert answer.headers["preference-applied"] == "wait=5"
        assert answer.headers["mash-event"] == "request.completed"
        data = answer.json()["data"]
        assert (data["request_id"], data["response"]["text"]) == (accepted["request_id"], "hello")

    def test_an_end_that_does_not_come_in_time_is_not_waited_for(self, web: Web, agent: Agent) -> None:
        answer = web.post(f"/api/v1/agent/{agent.agent_id}/request", GOOD, headers={"Prefer": "wait=1"})
        assert answer.json()["data"]["status"] == "accepted"
        assert "preference-applied" not in answer.headers


def test_an_unexpected_error_tells_nothing_of_itself(
    submit: Any, workspace: Workspace, idle_agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    # A row that no code of ours would write: the definition of the current version is not one.
    workspace.agent_versions.update(definition={"max_steps": "secret-many"})
    answer = client_with(issue_token(workspace, name="x", actor="tests")[1]).get("/api/v1/agent/idle")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "INTERNAL_ERROR")
    assert "secret-many" not in answer.content.decode()
    assert "Unexpected error in an API view" in caplog.text


def test_requests_are_listed_by_cursor_and_filter(
    api_client: APIClient, workspace: Workspace, idle_agent: Agent
) -> None:
    made: list[AgentRequest] = [
        AgentRequestFactory.create(workspace=workspace, agent=idle_agent, session_id=f"s{n % 2}", user=f"u{n}")
        for n in range(7)
    ]
    newest_first = [str(row.request_id) for row in reversed(made)]

    def listed(**query: Any) -> tuple[list[str], str | None]:
        data = api_client.get("/api/v1/agent/idle/requests", query).json()["data"]
        return [row["request_id"] for row in data["requests"]], data["next"]

    seen, cursor = listed(limit=3)
    AgentRequestFactory.create(workspace=workspace, agent=idle_agent)
    while cursor:
        page, cursor = listed(limit=3, cursor=cursor)
        seen += page
    assert seen == newest_first
    assert listed(session_id="s1")[0] == newest_first[1::2]
    assert listed(user="u4")[0] == [str(made[4].request_id)]
    assert listed(since=made[5].accepted_at.timestamp(), user="u5")[0] == [str(made[5].request_id)]
    assert listed(until=made[0].accepted_at.timestamp())[0] == []
    assert listed(status="completed")[0] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=99999999999999999999",
        "cursor=%FF",
        "cursor=!!",
        "cursor=LTE",
        f"cursor={'OTk5' * 40}",
        "status=odd",
        "since=nan",
        "since=1e400",
        "until=x",
    ],
)
def test_an_odd_query_is_refused(api_client: APIClient, idle_agent: Agent, query: str) -> None:
    answer = api_client.get(f"/api/v1/agent/idle/requests?{query}")
    assert answer.status_code == 422, answer.content
