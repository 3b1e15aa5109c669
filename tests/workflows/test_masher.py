"""Masher through HTTP: both workflows, both modes, checkpoints and artifacts (contract 7.5, A26 to A28)."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver
from tests.workflows.test_api import get, post
from workflows import catalogue
from workflows.evals.datasets import add_lines, make_dataset
from workflows.evals.experiments import Plan, start_experiment
from workspaces.models import Workspace

DIGEST, CURATE = "masher-trace-digest", "masher-online-eval-curation"


@pytest.fixture(autouse=True)
def _masher(transactional_db: None, workspace: Workspace) -> None:
    catalogue.sync_code_workflows([workspace])


def run(client: APIClient, run_requests: Driver, workflow_id: str, given: dict[str, Any]) -> Any:
    run_id = post(client, f"{workflow_id}/run", {"input": given}).json()["data"]["run_id"]
    run_requests()
    return get(client, f"{workflow_id}/runs/{run_id}")


def ask(client: APIClient, run_requests: Driver, agent: Agent, message: str) -> AgentRequest:
    body = {"message": message, "session_id": "s-1"}
    client.post(f"/api/v1/agent/{agent.agent_id}/request", body, format="json")
    run_requests()
    return AgentRequest.rows.filter(agent=agent).latest("pk")


@pytest.mark.appendix_a("A26")
def test_incremental_runs_go_on_where_the_last_one_ended_whatever_came_between(
    api_client: APIClient, agent: Agent, run_requests: Driver
) -> None:
    rows = [ask(api_client, run_requests, agent, f"say={number}") for number in range(3)]
    wish = {"mode": "incremental", "target_agent_id": agent.agent_id, "limit": 2}
    first = run(api_client, run_requests, DIGEST, wish)["output"]["task_states"]["digest-traces"]
    assert (first["processed_trace_count"], first["appended_trace_count"]) == (2, 2)
    assert first["checkpoints"][agent.agent_id]["last_trace_ids"] == [str(row.trace_id) for row in rows[:2]]

    one = {"mode": "TRACE", "target_agent_id": agent.agent_id, "session_id": "s-1", "trace_id": str(rows[0].trace_id)}
    digest = run(api_client, run_requests, DIGEST, one)["output"]["task_states"]["digest-traces"]
    assert (digest["status"], digest["trace_id"], digest["notable_events"]) == ("ok", str(rows[0].trace_id), [])
    assert digest["metrics"]["step_count"] == 1

    third = run(api_client, run_requests, DIGEST, wish)["output"]["task_states"]["digest-traces"]
    assert third["checkpoints"][agent.agent_id]["last_trace_ids"] == [str(rows[2].trace_id)]
    lines = Path(third["artifact_path"]).read_text().splitlines()
    assert [json.loads(line)["trace_id"] for line in lines] == [str(row.trace_id) for row in rows]
    assert lines[0] == json.dumps(json.loads(lines[0]), sort_keys=True)


def test_a_trace_becomes_one_row_for_evals_however_often_it_is_asked_for(
    api_client: APIClient, agent: Agent, run_requests: Driver, workspace: Workspace
) -> None:
    row = ask(api_client, run_requests, agent, "tools=1 say=done")
    one = {
        "mode": "trace",
        "target_agent_id": agent.agent_id,
        "session_id": "s-1",
        "trace_id": str(row.trace_id),
    }
    results = [
        run(api_client, run_requests, CURATE, one)["output"]["task_states"]["curate-online-evals"] for _ in range(2)
    ]
    assert [result["appended"] for result in results] == [True, False]
    record = results[0]["record"]
    assert (record["user_message"], record["assistant_response"]) == ("tools=1 say=done", "done")
    assert record["tool_call_count"] == 1
    assert workspace.masher_rows.count() == 1
    assert len(Path(results[0]["artifact_path"]).read_text().splitlines()) == 1


def test_two_runs_at_once_keep_every_trace_once(
    api_client: APIClient, agent: Agent, run_requests: Driver, workspace: Workspace
) -> None:
    for number in range(12):
        body = {"message": f"say={number}", "session_id": f"s-{number}"}
        api_client.post(f"/api/v1/agent/{agent.agent_id}/request", body, format="json")
    run_requests()
    wish = {"input": {"mode": "incremental", "target_agent_id": agent.agent_id}}
    runs = [post(api_client, f"{DIGEST}/run", wish).json()["data"]["run_id"] for _ in range(2)]
    workers = [threading.Thread(target=run_requests) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    states = [get(api_client, f"{DIGEST}/runs/{run_id}")["output"]["task_states"]["digest-traces"] for run_id in runs]
    assert sum(state["appended_trace_count"] for state in states) == 12
    lines = Path(states[0]["artifact_path"]).read_text().splitlines()
    assert len(lines) == len({json.loads(line)["trace_id"] for line in lines}) == workspace.masher_rows.count() == 12
    ask(api_client, run_requests, agent, "say=later")
    third = run(api_client, run_requests, DIGEST, wish["input"])["output"]["task_states"]["digest-traces"]
    assert (third["processed_trace_count"], third["appended_trace_count"]) == (1, 1)


def test_what_experiments_ask_is_not_taken(
    api_client: APIClient, agent: Agent, run_requests: Driver, workspace: Workspace
) -> None:
    asked = ask(api_client, run_requests, agent, "say=1")
    dataset = make_dataset(workspace, "orders", by="tests")
    add_lines(dataset, '{"message": "say=2"}')
    assert agent.current_version
    plan = Plan(name="first", agent_version=agent.current_version, checks=[{"kind": "contains", "text": "2"}])
    start_experiment(dataset, plan, by="tests")
    run_requests()
    assert workspace.agent_requests.filter(agent=agent).count() == 2
    wish = {"mode": "incremental", "target_agent_id": agent.agent_id}
    run(api_client, run_requests, CURATE, wish)
    assert [row.trace_id for row in workspace.masher_rows.all()] == [asked.trace_id]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"mode": "all", "target_agent_id": "a"}, "mode"),
        ({}, "mode"),
        ({"mode": "incremental"}, "target_agent_id"),
        ({"mode": "incremental", "target_agent_id": "a", "limit": 10**20}, "limit"),
        ({"mode": "incremental", "target_agent_id": "a", "limit": "ten"}, "limit"),
        ({"mode": "trace", "target_agent_id": "a", "session_id": "s"}, "trace_id"),
        ({"mode": "trace", "target_agent_id": "a", "session_id": "s", "trace_id": "x"}, "no events"),
    ],
)
def test_what_cannot_be_done_is_said(
    api_client: APIClient, run_requests: Driver, given: dict[str, Any], fault: str
) -> None:
    failed = run(api_client, run_requests, DIGEST, given)
    assert failed["status"] == "failed"
    assert fault in failed["error"]


@pytest.mark.appendix_a("A27")
def test_a_checkpoint_and_old_runs_survive_a_restart(
    api_client: APIClient, agent: Agent, run_requests: Driver, workspace: Workspace
) -> None:
    wish = {"mode": "incremental", "target_agent_id": agent.agent_id}
    ask(api_client, run_requests, agent, "say=before")
    before = run(api_client, run_requests, DIGEST, wish)
    # What every start of the deployment does with what code defines
    catalogue.masher_specs.cache_clear()
    catalogue.sync_code_workflows([Workspace.objects.get(pk=workspace.pk)])
    later = ask(api_client, run_requests, agent, "say=after")
    after = run(api_client, run_requests, DIGEST, wish)["output"]["task_states"]["digest-traces"]
    assert after["checkpoints"][agent.agent_id]["last_trace_ids"] == [str(later.trace_id)]
    assert get(api_client, f"{DIGEST}/runs/{before['run_id']}") == before


@pytest.mark.appendix_a("A28")
def test_masher_is_hidden(
    api_client: APIClient, make_agent: AgentMaker, run_requests: Driver, model: ModelServer
) -> None:
    agent = make_agent(row={"role": Agent.Role.PRIMARY})
    listed = api_client.get("/api/v1/agent").json()["data"]["agents"]
    assert [each["agent_id"] for each in listed] == [agent.agent_id]
    tasks = {
        each["workflow_id"]: each["tasks"][0]
        for each in api_client.get("/api/v1/workflows").json()["data"]["workflows"]
    }
    assert tasks[DIGEST]["agent_id"] == "masher"
    body = {"message": "x", "session_id": "s"}
    for hidden in (f"workflow:{DIGEST}", "masher"):
        assert api_client.post(f"/api/v1/agent/{hidden}/request", body, format="json").status_code == 404
    ask(api_client, run_requests, agent, "say=hello")
    assert "masher" not in str(model.requests)
