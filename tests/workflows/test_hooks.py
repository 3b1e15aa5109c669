"""Inbound hooks: a signed address starts a run."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.workflows.conftest import Define
from tests.workflows.test_api import post
from tests.workflows.test_runs import step
from workflows.models import WorkflowRun
from workspaces.models import Workspace

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


@pytest.fixture
def hook(api_client: APIClient, define: Define) -> dict[str, Any]:
    define(step("first", input="input.n"), input_schema=SCHEMA)
    made: dict[str, Any] = post(api_client, "wf/inbound-hooks", {"name": "push"}).json()["data"]
    return made


def call(hook: dict[str, Any], body: Any, **headers: str) -> Any:
    return APIClient(headers=headers).post(hook["url"], body, format="json")


def test_whoever_has_the_address_starts_a_run_once_per_call(hook: dict[str, Any], workspace: Workspace) -> None:
    answers = [call(hook, {"n": 2}, **{"webhook-id": "msg_1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    [run] = WorkflowRun.rows.all()
    assert (run.input, run.trigger, run.agent_request.created_by) == ({"n": 2}, "hook", "hook:push")
    assert run.workspace == workspace
    call(hook, {"n": 3})
    call(hook, {"n": 3})
    assert WorkflowRun.rows.count() == 3, "calls without a name are calls of their own"


def test_input_that_makes_no_sense_starts_nothing(hook: dict[str, Any]) -> None:
    assert call(hook, {"n": "two"}).status_code == 422
    assert APIClient().post(hook["url"], "{", content_type="application/json").status_code in {400, 422}
    assert not WorkflowRun.rows.exists()


def test_an_address_is_void_when_forged_drawn_anew_switched_off_or_removed(
    hook: dict[str, Any], api_client: APIClient, stranger_client: APIClient
) -> None:
    path = f"/api/v1/inbound-hooks/{hook['id']}"
    for forged in (hook["url"].replace("1~", "2~"), f"{hook['url']}x", hook["url"].rpartition("~")[0]):
        assert call({"url": forged}, {"n": 1}).status_code == 404
    assert stranger_client.patch(path, {"new_address": True}, format="json").status_code == 404
    anew = api_client.patch(path, {"new_address": True}, format="json").json()["data"]
    assert call(hook, {"n": 1}).status_code == 404
    assert call(anew, {"n": 1}).status_code == 202
    api_client.patch(path, {"is_enabled": False}, format="json")
    assert call(anew, {"n": 1}).status_code == 404
    api_client.patch(path, {"is_enabled": True}, format="json")
    assert [each["url"] for each in api_client.get("/api/v1/inbound-hooks").json()["data"]["hooks"]] == [anew["url"]]
    assert api_client.delete(path).status_code == 200
    assert call(anew, {"n": 1}).status_code == 404
    assert WorkflowRun.rows.get().hook is None
