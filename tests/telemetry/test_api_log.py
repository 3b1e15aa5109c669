"""Every call of the API is noted, with its secrets taken out (contract 8.3, 2.2.14)."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent
from telemetry.api_log import redact
from telemetry.api_log.writer import prune, writer
from telemetry.models import ApiEvent
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from tests.web import Web, wait_until
from workspaces.models import Workspace

PATH = "/api/v1/telemetry/api/events"


@pytest.fixture(autouse=True)
def _empty_writer() -> None:
    """What other tests left has no workspace here."""
    writer._waiting.clear()


def logged(workspace: Workspace) -> list[ApiEvent]:
    writer.flush()
    return list(workspace.api_events.order_by("id"))


def send(web: Web, agent: Agent, **body: Any) -> int:
    content = {"message": "hello", "session_id": "s", **body}
    return web.post(f"/api/v1/agent/{agent.agent_id}/request?a=1&a=2&api_key=precious", content).status


def test_a_call_is_noted_with_its_route_and_without_its_secrets(web: Web, workspace: Workspace, agent: Agent) -> None:
    assert send(web, agent) == 200
    [event] = logged(workspace)
    told = event.as_json()
    assert (told["method"], told["status_code"], told["path"]) == (
        "POST",
        200,
        f"/api/v1/agent/{agent.agent_id}/request",
    )
    assert told["query_params"]["route"] == "/api/v1/agent/{agent_id}/request"
    assert told["query_params"]["path_params"] == {"agent_id": agent.agent_id}
    assert told["query_params"]["parsed"] == {"a": ["1", "2"], "api_key": "[REDACTED]"}
    assert told["request_headers"]["authorization"] == "[REDACTED]"
    assert told["request_body"]["capture_status"] == "disabled"
    assert told["principal"].startswith("token:")
    assert web.token not in json.dumps(told)
    assert "precious" not in json.dumps(told)


@pytest.mark.appendix_a("A32")
def test_bodies_are_kept_where_the_workspace_wants_them(web: Web, workspace: Workspace, agent: Agent) -> None:
    workspace.api_log_bodies = True
    workspace.save()
    send(web, agent, metadata={"password": "precious", "kept": 1})
    send(web, agent, message="x" * 20_000, metadata={"password": "precious"})
    whole, cut = logged(workspace)
    assert whole.request_body["json"]["metadata"] == {"password": "[REDACTED]", "kept": 1}
    assert whole.request_body["capture_status"] == "captured"
    assert "request_id" in json.dumps(whole.response_body["json"])
    assert cut.request_body["truncated"] is True
    assert cut.request_body["parse_error"] == "invalid_json"
    assert cut.request_body["text"].startswith('{"')
    assert cut.request_headers["authorization"] == "[REDACTED]"
    assert cut.request_body["captured_bytes"] == 8192
    assert "precious" not in json.dumps([whole.as_json(), cut.as_json()])


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/x-www-form-urlencoded", "name=Zo%C3%AB&password=precious"),
        ("application/x-www-form-urlencoded; charset=utf-8", "api_key=preci"),
        ("text/plain", 'sent: {"password": "precious"}'),
        ("application/json", '{"api_key": "precious", "cut'),
    ],
)
def test_no_kind_of_body_keeps_a_secret(content_type: str, content: str) -> None:
    kept = redact.body(content.encode(), len(content), content_type)
    assert kept["capture_status"] == "captured"
    assert "preci" not in kept["text"]
    assert redact.REDACTED in kept["text"]


def test_a_form_without_secrets_stays_as_it_was() -> None:
    text = "name=Zoë&city=Lima"
    kept = redact.body(text.encode(), 20, "application/x-www-form-urlencoded")
    assert kept["text"] == text


def test_who_is_unknown_or_looks_at_the_log_is_not_noted(web: Web, workspace: Workspace) -> None:
    assert Web("mash_wrong").get("/api/v1/agent").status == 401
    assert web.get(PATH).status == 200
    assert web.get("/api/v1/health").status == 200
    assert logged(workspace) == []
    workspace.api_log_enabled = False
    workspace.save()
    assert web.get("/api/v1/agent").status == 200
    assert logged(workspace) == []


def test_a_stream_is_noted_when_it_ends(web: Web, workspace: Workspace, agent: Agent) -> None:
    workspace.api_log_bodies = True
    workspace.save()
    path = "/api/v1/telemetry/events/stream"

    async def look() -> None:
        async with web.open("GET", path) as answer:
            await wait_until(answer, lambda: bool(answer.body))
            assert await asyncio.to_thread(logged, workspace) == []

    asyncio.run(look())
    [event] = logged(workspace)
    assert (event.path, event.status_code) == (path, 200)
    assert event.response_body["capture_status"] == "streaming_skipped"


def test_a_stream_of_a_request_is_about_that_request(
    web: Web, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    row = AgentRequestFactory.create(workspace=workspace, agent=agent)
    run_requests()
    web.get(f"/api/v1/agent/{agent.agent_id}/request/{row.request_id}/events")
    [event] = logged(workspace)
    assert event.route == "/api/v1/agent/{agent_id}/request/{request_id}/events"
    assert event.query_params["path_params"]["request_id"] == str(row.request_id)


def test_the_log_is_searched_by_the_contracts_parameters(web: Web, workspace: Workspace, agent: Agent) -> None:
    send(web, agent)
    web.get("/api/v1/agent/nobody")
    web.get("/api/v1/agent")
    first, missing, listing = logged(workspace)

    def found(query: str) -> list[int]:
        answer = web.get(f"{PATH}?{query}").json()["data"]
        assert answer["source"] == "api_event_log"
        return [event["api_event_id"] for event in answer["events"]]

    assert found("") == [first.pk, missing.pk, listing.pk]
    assert found("method=post") == [first.pk]
    assert found("status_code=404") == [missing.pk]
    assert found("path=/api/v1/agent") == [listing.pk]
    assert found(f"after_event_id={first.pk}") == [missing.pk, listing.pk]
    assert found("limit=1") == [listing.pk]
    assert found(f"to_ts={first.created_at.timestamp() - 1}") == []
    body = {"path_prefix": "/api/v1/agent/", "status_code_min": 400, "status_code_max": 499}
    answer = web.post(f"{PATH}/search", body).json()["data"]
    assert [event["api_event_id"] for event in answer["events"]] == [missing.pk]


def test_another_workspaces_calls_are_not_shown(web: Web, stranger_web: Web, workspace: Workspace) -> None:
    web.get("/api/v1/agent")
    writer.flush()
    assert stranger_web.get(PATH).json()["data"]["events"] == []
    assert stranger_web.post(f"{PATH}/search", {}).json()["data"]["events"] == []

    async def overhear() -> bytes:
        async with stranger_web.open("GET", f"{PATH}/stream", headers={"Last-Event-ID": "0"}) as answer:
            await wait_until(answer, lambda: bool(answer.body))
            await asyncio.to_thread(_call_once, web)
            await asyncio.sleep(1.2)
        return answer.body

    assert b"id: " not in asyncio.run(overhear())


def test_new_calls_are_streamed_and_none_is_lost_after_a_cut(web: Web, workspace: Workspace) -> None:
    web.get("/api/v1/agent")
    [first] = logged(workspace)

    async def follow() -> list[int]:
        async with web.open("GET", f"{PATH}/stream", headers={"Last-Event-ID": str(first.pk - 1)}) as answer:
            await wait_until(answer, lambda: b"id: " in answer.body)
            await asyncio.to_thread(_call_once, web)
            await wait_until(answer, lambda: answer.body.count(b"id: ") == 2)
        return [int(line.removeprefix("id: ")) for line in answer.body.decode().split("\n") if line.startswith("id: ")]

    seen = asyncio.run(follow())
    assert seen == [event.pk for event in logged(workspace)][:2]


def _call_once(web: Web) -> None:
    web.get("/api/v1/agent")
    writer.flush()


def test_old_calls_go(web: Web, workspace: Workspace) -> None:
    web.get("/api/v1/agent")
    web.get("/api/v1/agent")
    old, kept = logged(workspace)
    workspace.api_events.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert prune() == 1
    assert logged(workspace) == [kept]
