"""What was taken from a session goes when it is erased, and so does what was said about it again."""

import json

import pytest
from django.apps import apps
from django.test import Client
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver
from tests.workflows.test_masher import CURATE, DIGEST, ask, run
from workflows import catalogue
from workflows.evals.datasets import add_lines, add_turn, make_dataset
from workflows.evals.experiments import Plan, start_experiment
from workflows.evals.models import Experiment
from workflows.masher.artifacts import NAMES, artifact_path
from workflows.webhooks.collect import new_delivery
from workflows.webhooks.models import WebhookEndpoint
from workspaces.models import Workspace

SECRET = "xyzzy"
VERDICT = 'say={"score":1,"explanation":"good"}'


@pytest.fixture
def experiment(
    transactional_db: None, api_client: APIClient, make_agent: AgentMaker, workspace: Workspace, run_requests: Driver
) -> Experiment:
    """A turn that Masher has taken, a person has put into a dataset, an experiment has asked and a webhook has told."""
    catalogue.sync_code_workflows([workspace])
    agent = make_agent(row={"agent_id": "assistant"})
    make_agent(row={"agent_id": "judge"})
    row = ask(api_client, run_requests, agent, f"say={SECRET}")
    wish = {"mode": "incremental", "target_agent_id": "assistant"}
    one = {**wish, "mode": "trace", "session_id": "s-1", "trace_id": str(row.trace_id)}
    for workflow_id in (DIGEST, CURATE):
        run(api_client, run_requests, workflow_id, wish)
    run(api_client, run_requests, CURATE, one)
    experiment = _ask_again(row, agent)
    run_requests()
    endpoint = WebhookEndpoint.rows.create(workspace=workspace, url="https://example.com", created_at=row.accepted_at)
    new_delivery(endpoint, "request.completed", {"user": SECRET}, row).save()
    return experiment


def _ask_again(row: AgentRequest, agent: Agent) -> Experiment:
    dataset = make_dataset(agent.workspace, "orders", by="tests")
    question = add_turn(dataset, row)
    question.status, question.expected = "accepted", VERDICT
    question.save()
    add_lines(dataset, json.dumps({"message": "say=other", "expected": VERDICT}))
    assert agent.current_version
    plan = Plan(name="first", agent_version=agent.current_version, judge="judge")
    return start_experiment(dataset, plan, by="tests")


def everything() -> str:
    """All that the database and Masher's files hold."""
    rows = [values for model in apps.get_models() for values in model._base_manager.values()]
    files = [artifact_path(workspace, kind) for workspace in Workspace.objects.all() for kind in NAMES]
    return json.dumps(rows, default=str) + "".join(path.read_text() for path in files)


def test_nothing_is_left_of_what_was_taken(
    experiment: Experiment, api_client: APIClient, workspace: Workspace, visitor: Client
) -> None:
    other = experiment.results.get(question__message="say=other")
    assert SECRET in everything()
    answer = api_client.delete("/api/v1/agent/assistant/sessions/s-1")
    assert answer.status_code == 200, answer.content
    erased = answer.json()["data"]["erased"]
    assert (erased["masher_rows"], erased["dataset_rows"], erased["webhook_deliveries"]) == (2, 1, 1)
    # The turn, two of what asked and judged it again, and two runs that had it in their log.
    assert erased["requests"] == 5
    assert SECRET not in everything()
    assert [result.pk for result in experiment.results.all()] == [other.pk]
    assert other.agent_request
    assert "say=other" in other.agent_request.message

    experiment.refresh_from_db()
    assert experiment.agent_request
    run_id = experiment.agent_request.session_id
    base = f"/w/{workspace.slug}"
    pages = (f"experiments/{experiment.pk}/", f"datasets/{experiment.dataset_id}/", "kept/")
    for path in (*(f"evals/{page}" for page in pages), f"workflows/mash-experiments/runs/{run_id}/"):
        assert visitor.get(f"{base}/{path}", follow=True).status_code == 200, path
    runs = f"/api/v1/workflows/{CURATE}/runs"
    erased_run = next(run["run_id"] for run in api_client.get(runs).json()["data"]["runs"])
    for path in (f"{runs}/{erased_run}", f"{runs}/{erased_run}/steps"):
        assert api_client.get(path).status_code == 200, path
    again = api_client.post(f"{runs}/{erased_run}/rerun", {"from_step": "curate-online-evals"}, format="json")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "SESSION_ERASED")
