"""The OpenAPI document is valid, complete and true: live answers are held against it."""

import json
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from agents.models import Agent
from tests.conftest import Driver
from tests.house.test_every_url import routes
from tests.samples import PNG, text_of
from tests.web import Answer, Web

Schema = dict[str, Any]


@pytest.fixture
def document(client: Client) -> Schema:
    document: Schema = client.get("/openapi.json").json()
    return document


def test_the_generator_has_nothing_to_complain_of(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json")
    assert json.loads(capsys.readouterr().out)["openapi"].startswith("3.1")


def test_every_route_of_the_api_is_documented(document: Schema) -> None:
    routed = {
        (route.method.lower(), "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.pattern))
        for route in routes()
        if route.is_api
    }
    documented = {(method, path) for path, operations in document["paths"].items() for method in operations}
    assert documented == routed


def test_every_operation_says_who_may_call_and_what_comes(document: Schema) -> None:
    assert set(document["components"]["securitySchemes"]) == {"bearer", "apiKey"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["security"] == [{"bearer": []}, {"apiKey": []}], path
            assert operation["description"], path
            [content] = operation["responses"]["200"]["content"].values()
            is_no_json = path.endswith(("/events", "/stream")) or content["schema"].get("format") == "binary"
            assert "$ref" in content["schema"] or is_no_json, f"{path} has no typed answer"


def check(document: Schema, template: str, answer: Answer | Any, *, method: str = "get") -> None:
    """Holds an answer against the document, which must know every key of it."""
    responses = document["paths"][f"/api/v1/{template}"][method]["responses"]
    status = getattr(answer, "status_code", None) or answer.status
    assert str(status) in responses, f"{status} of {template} is not documented"
    response = responses[str(status)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": _closed(document["components"])}).validate(answer.json())


def _closed(schema: Any) -> Any:
    """The same, with every object that lists its properties refusing others."""
    if isinstance(schema, list):
        return [_closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return closed | {"additionalProperties": False} if isinstance(schema.get("properties"), dict) else closed


def test_live_answers_are_as_documented(
    document: Schema, web: Web, api_client: APIClient, agent: Agent, run_requests: Driver
) -> None:
    path = f"agent/{agent.agent_id}"
    file = {"name": "dot.png", "data": text_of(PNG)}
    check(document, "attachments", web.post("/api/v1/attachments", file), method="post")
    for message in ("tools=1 tool=echo say=hello", "fail=400"):
        body = {"message": message, "session_id": "s", "attachments": [file]}
        answer = web.post(f"/api/v1/{path}/request", body)
        check(document, "agent/{agent_id}/request", answer, method="post")
        request_id = answer.json()["data"]["request_id"]
        run_requests()
        trace_id = api_client.get(f"/api/v1/{path}/request/{request_id}").json()["data"]["trace_id"]
        one_trace = f"agent_id={agent.agent_id}&session_id=s&trace_id={trace_id}"
        for name in ("trace", "reasoning-trace"):
            check(document, f"telemetry/{name}", api_client.get(f"/api/v1/telemetry/{name}?{one_trace}"))
        for route in ("", "/status"):
            row = api_client.get(f"/api/v1/{path}/request/{request_id}{route}")
            check(document, f"agent/{{agent_id}}/request/{{request_id}}{route}", row)
    plain = {
        "health": "health",
        "agent": "agent",
        path: "agent/{agent_id}",
        f"{path}/requests?limit=1": "agent/{agent_id}/requests",
        f"{path}/sessions": "agent/{agent_id}/sessions",
        f"{path}/sessions/s": "agent/{agent_id}/sessions/{session_id}",
        f"{path}/sessions/s/history": "agent/{agent_id}/sessions/{session_id}/history",
        f"{path}/sessions?limit=x": "agent/{agent_id}/sessions",
        "agent/nobody": "agent/{agent_id}",
        f"telemetry/events?agent_id={agent.agent_id}": "telemetry/events",
        "telemetry/events": "telemetry/events",
        "telemetry/traces?agent_id=nobody": "telemetry/traces",
        f"telemetry/traces?agent_id={agent.agent_id}": "telemetry/traces",
        "telemetry/usage?group_by=session": "telemetry/usage",
        "telemetry/usage?group_by=model": "telemetry/usage",
    }
    for url, template in plain.items():
        check(document, template, api_client.get(f"/api/v1/{url}"))


@pytest.mark.parametrize("message", ["say=hello", "fail=400"])
def test_a_waited_for_answer_is_as_documented(
    document: Schema, web: Web, agent: Agent, run_requests: Driver, message: str
) -> None:
    path, body = f"/api/v1/agent/{agent.agent_id}/request", {"message": message, "session_id": "s"}
    headers = {"Idempotency-Key": "once", "Prefer": "wait=5"}
    web.post(path, body, headers={"Idempotency-Key": "once"})
    run_requests()
    check(document, "agent/{agent_id}/request", web.post(path, body, headers=headers), method="post")


@pytest.mark.parametrize("content", [b"{", b'{"message": ""}', b'{"message": " ", "session_id": "s"}'])
def test_refusals_are_as_documented(document: Schema, api_client: APIClient, agent: Agent, content: bytes) -> None:
    path = f"/api/v1/agent/{agent.agent_id}/request"
    answer = api_client.generic("POST", path, content, "application/json")
    assert answer.status_code in {400, 422}
    check(document, "agent/{agent_id}/request", answer, method="post")


@pytest.mark.django_db
def test_the_page_keeps_the_sites_content_security_policy(client: Client) -> None:
    answer = client.get("/docs")
    page = answer.content.decode()
    assert answer["Content-Security-Policy"]
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]* src=)", page)
    assert not re.search(r"\son\w+=", page)
    parts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(parts) >= 4
    for part in parts:
        answer = client.get(part.replace("&amp;", "&"))
        answer.close()
        assert answer.status_code == 200, part
