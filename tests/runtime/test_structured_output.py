"""Answers that must be JSON of a given schema: checked, repaired within bounds, else a typed failure (extensions 3)."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from benchmarks.model_server import ModelServer
from tests.conftest import Driver

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


@pytest.fixture
def ask(agent: Agent, api_client: APIClient, run_requests: Driver):
    def ask(message: str, schema: Any = SCHEMA) -> dict[str, Any]:
        body = {"message": message, "session_id": "s", "structured_output": schema}
        path = f"/api/v1/agent/{agent.agent_id}/request"
        request_id = api_client.post(path, body, format="json").json()["data"]["request_id"]
        [agent_request] = run_requests()
        assert str(agent_request.request_id) == request_id
        return dict(agent_request.events.get(sequence=agent_request.last_sequence).payload)

    return ask


def test_a_valid_answer_comes_as_json_too(ask, transactional_db: None) -> None:
    answer = ask('say={"n":7}')
    assert answer["response"]["structured_output"] == {"n": 7}


def test_an_invalid_answer_is_repaired_within_bounds_and_then_fails(ask, model: ModelServer) -> None:
    answer = ask("say=words")
    assert (answer["error_code"], answer["retryable"]) == ("invalid_output", False)
    calls = model.requests()
    assert len(calls) == 3
    assert "not valid JSON" in str(calls[-1]["body"]["messages"][-1])


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"properties": 3}, [], "text"])
def test_what_is_no_schema_is_refused(agent: Agent, api_client: APIClient, schema: Any) -> None:
    body = {"message": "hello", "session_id": "s", "structured_output": schema}
    answer = api_client.post(f"/api/v1/agent/{agent.agent_id}/request", body, format="json")
    assert answer.status_code == 422
    assert "structured_output" in str(answer.json()["error"]["details"])
