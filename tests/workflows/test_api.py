"""Workflows over HTTP: contract 2.2.9 to 2.2.11 and what goes beyond them."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver
from tests.workflows.conftest import Define, Start, called
from tests.workflows.test_runs import step
from workspaces.models import Workspace

PATH = "/api/v1/workflows"


def post(client: APIClient, path: str, body: Any = None) -> Any:
    return client.post(f"{PATH}/{path}", body or {}, format="json")


def get(client: APIClient, path: str) -> Any:
    answer = client.get(f"{PATH}/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_a_run_is_started_looked_at_and_listed(
    transactional_db: None, api_client: APIClient, define: Define, run_requests: Driver
) -> None:
    define(step("first", input="input.n"))
    [listed] = api_client.get(PATH).json()["data"]["workflows"]
    assert (listed["workflow_id"], listed["tasks"]) == ("wf", [{"task_id": "first", "agent_id": None, "kind": "code"}])
    begun = post(api_client, "wf/run", {"input": {"n": 2}, "dedup_key": " daily "}).json()["data"]
    assert begun["run_id"].startswith("mw:h_")
    assert begun == {"run_id": begun["run_id"], "workflow_id": "wf", "status": "queued"}
    run_requests()
    run = get(api_client, f"wf/runs/{begun['run_id']}")
    assert (run["status"], run["dedup_key"], run["error"]) == ("completed", "daily", None)
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]
    assert run["output"]["output"] == 4
    assert run["output"].keys() >= {"workflow_id", "run_id", "completed_at", "task_requests", "task_states"}
    [row] = get(api_client, "wf/runs?status=completed&dedup_key=daily")["runs"]
    assert row["run_id"] == begun["run_id"]
    assert get(api_client, "wf/runs?status=failed") == {"runs": [], "next": None}
    [only_step] = get(api_client, f"wf/runs/{begun['run_id']}/steps")["steps"]
    assert (only_step["status"], only_step["input"], only_step["output"]) == ("completed", 2, 4)


def test_half_a_character_in_an_input_is_kept_as_one_that_is_not_known(
    transactional_db: None, api_client: APIClient, define: Define, run_requests: Driver
) -> None:
    define(step("first", input="`1`"), output="input.word")
    body = {"input": {"word": "a\ud800b"}}
    run_id = post(api_client, "wf/run", body).json()["data"]["run_id"]
    run_requests()
    assert get(api_client, f"wf/runs/{run_id}")["output"]["output"] == "a?b"
    made = post(api_client, "wf/schedules", {"name": "daily", "cron": "0 9 * * *", **body}).json()["data"]
    assert made["input"] == {"word": "a?b"}


@pytest.mark.appendix_a("A24")
def test_a_dedup_key_names_the_active_run_and_is_free_after_its_end(
    transactional_db: None, api_client: APIClient, define: Define, run_requests: Driver
) -> None:
    define(step("first", input="`1`"))
    active = post(api_client, "wf/run", {"dedup_key": "d"}).json()["data"]["run_id"]
    refused = post(api_client, "wf/run", {"dedup_key": "d"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "WORKFLOW_DUPLICATE_RUN")
    assert refused.json()["error"]["details"]["run_id"] == active
    assert post(api_client, "wf/run", {"dedup_key": ""}).status_code == 200
    run_requests()
    assert post(api_client, "wf/run", {"dedup_key": "d"}).status_code == 200


def test_what_is_not_there_is_not_found(api_client: APIClient, define: Define, stranger_client: APIClient) -> None:
    define(step("first", input="`1`"))
    run_id = post(api_client, "wf/run").json()["data"]["run_id"]
    for client, path in ((api_client, "wf/runs/mw:h_x:wf:y"), (api_client, f"other/runs/{run_id}")):
        answer = client.get(f"{PATH}/{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "WORKFLOW_NOT_FOUND")
    for path in ("wf", "wf/runs", f"wf/runs/{run_id}", f"wf/runs/{run_id}/steps"):
        assert stranger_client.get(f"{PATH}/{path}").status_code == 404
    for path in ("wf/run", f"wf/runs/{run_id}/cancel", f"wf/runs/{run_id}/signal"):
        assert post(stranger_client, path, {"name": "x"}).status_code == 404
    assert stranger_client.get(PATH).json()["data"]["workflows"] == []


def test_a_workspace_has_room_for_so_many_runs_too(api_client: APIClient, workspace: Workspace, define: Define) -> None:
    define(step("first", input="`1`"))
    Workspace.objects.filter(pk=workspace.pk).update(max_queued_requests=1)
    answers = [post(api_client, "wf/run") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]


def test_input_is_checked_against_the_schema(api_client: APIClient, define: Define) -> None:
    define(step("first", input="input.n"))
    assert post(api_client, "wf/run", {"input": [1]}).status_code == 422
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    define(step("first", input="input.n"), input_schema=schema)
    refused = post(api_client, "wf/run", {"input": {"n": "two"}})
    assert refused.status_code == 422
    assert "n" in refused.json()["error"]["details"]["errors"][0]["msg"]


@pytest.mark.appendix_a("A25")
def test_a_task_without_json_fails_the_run_and_nothing_follows(
    transactional_db: None, api_client: APIClient, define: Define, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(row={"agent_id": "worker"})
    task = {"id": "t1", "kind": "agent", "agent_id": "worker", "message": "say=plain", "keeps_state": True}
    workflow = define(task, step("t2", input="`1`"))
    run_id = post(api_client, "wf/run").json()["data"]["run_id"]
    run_requests()
    run = get(api_client, f"wf/runs/{run_id}")
    assert (run["status"], run["output"]) == ("failed", None)
    assert "JSON object" in run["error"]
    assert not workflow.task_states.exists()
    assert [each["path"] for each in get(api_client, f"wf/runs/{run_id}/steps")["steps"]] == ["t1"]


def test_an_agent_is_told_what_the_contract_says(
    transactional_db: None, api_client: APIClient, define: Define, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(row={"agent_id": "worker"})
    define({"id": "t1", "kind": "agent", "agent_id": "worker", "answer": "text"})
    run_id = post(api_client, "wf/run", {"input": {"any": 1}}).json()["data"]["run_id"]
    run_requests()
    child = AgentRequest.rows.get(agent__agent_id="worker")
    assert child.session_id == f"workflow:wf:task:t1:run:{run_id}"
    told = json.loads(child.message)
    assert told.pop("task_outputs") == {}
    assert told == {
        "workflow_id": "wf",
        "workflow_run_id": run_id,
        "task_id": "t1",
        "workflow_input": {"any": 1},
        "task_state": {},
    }
    requests = get(api_client, f"wf/runs/{run_id}")["output"]["task_requests"]
    assert requests == {"t1": str(child.request_id)}


def test_a_run_is_cancelled_resumed_and_told_what_it_waits_for(
    transactional_db: None, api_client: APIClient, define: Define, run_requests: Driver
) -> None:
    define({"id": "wait", "kind": "wait", "signal": "go"}, step("after", input="steps.wait.n"))
    run_id = post(api_client, "wf/run").json()["data"]["run_id"]
    run_requests()
    assert get(api_client, f"wf/runs/{run_id}")["state"] == "paused"
    assert post(api_client, f"wf/runs/{run_id}/cancel").json()["data"]["status"] == "cancelled"
    assert post(api_client, f"wf/runs/{run_id}/signal", {"name": "go"}).status_code == 409
    assert post(api_client, f"wf/runs/{run_id}/resume").json()["data"]["status"] == "queued"
    run_requests()
    post(api_client, f"wf/runs/{run_id}/signal", {"name": "go", "payload": {"n": 21}})
    run_requests()
    assert get(api_client, f"wf/runs/{run_id}")["output"]["output"] == 42


def test_a_rerun_from_a_step_takes_over_what_came_before(
    transactional_db: None, api_client: APIClient, define: Define, start: Start, run_requests: Driver
) -> None:
    define(step("first", input="input.n"), step("second", input="input.n"), output="[steps.first, steps.second]")
    old = post(api_client, "wf/run", {"input": {"n": 1}}).json()["data"]["run_id"]
    run_requests()
    body = {"from_step": "second", "input": {"n": 10}}
    new = post(api_client, f"wf/runs/{old}/rerun", body).json()["data"]["run_id"]
    run_requests()
    run = get(api_client, f"wf/runs/{new}")
    assert (run["output"]["output"], run["rerun_of"], run["trigger"]) == ([2, 20], old, "rerun")
    assert f"{new}:first" not in called
    assert post(api_client, f"wf/runs/{old}/rerun", {"from_step": "third"}).status_code == 422
