"""Evals in the browser: a request becomes a row, rows are looked at, an experiment is started and read."""

import uuid

from django.test import Client
from django.utils import timezone

from agents.models import Agent
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from workflows.evals.models import Experiment
from workspaces.models import Workspace


def test_from_a_request_to_an_experiments_answers(
    visitor: Client, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    sent = AgentRequestFactory.create(workspace=workspace, agent=agent, message="say=Lyon")
    run_requests()
    base = f"/w/{workspace.slug}"
    taken = visitor.post(f"{base}/requests/{sent.request_id}/to-dataset/", {"name": "cities"})
    dataset = workspace.datasets.get()
    row = dataset.questions.get()
    assert taken["Location"] == f"{base}/evals/datasets/{dataset.pk}/?status=proposed"
    page = f"{base}/evals/datasets/{dataset.pk}/"
    form = {"name": "first", "agent": agent.agent_id, "contains_expected": "on", "repeats": "1", "max_concurrency": "2"}
    refused = visitor.post(f"{page}experiments/new/", form)
    assert "no accepted row" in refused.content.decode()
    visitor.post(page, {"action": "accept", "row": row.pk, "message": row.message, "expected": "lyon"})
    bad = visitor.post(page, {"action": "add", "lines": '{"message": "say=Porto", "expected": "Graz"}\n{'})
    assert "line 2: It is not JSON" in bad.content.decode()
    visitor.post(page, {"action": "add", "lines": '{"message": "say=Porto", "expected": "Graz"}'})
    went = visitor.post(f"{page}experiments/new/", form)
    experiment = Experiment.rows.get()
    assert went["Location"] == f"{base}/evals/experiments/{experiment.pk}/"
    run_requests()
    html = visitor.get(went["Location"]).content.decode()
    assert "50.0%" in html
    assert html.count("passed</span>") == 1
    failed = visitor.get(f"{went['Location']}?show=failed").content.decode()
    assert ("say=Porto" in failed, "say=Lyon" in failed) == (True, False)
    visitor.post(f"{page}experiments/new/", form | {"name": "second"})
    run_requests()
    second = Experiment.rows.get(name="second")
    compared = visitor.get(f"{base}/evals/experiments/{second.pk}/?with={experiment.pk}").content.decode()
    assert "no question is worse" in compared
    assert "cities" in visitor.get(f"{base}/evals/").content.decode()
    lines = visitor.get(f"{page}export").content.decode().splitlines()
    assert len(lines) == 2


def test_what_masher_has_kept_is_found_by_its_words_and_status(visitor: Client, workspace: Workspace) -> None:
    contents = [
        ("digest", {"status": "failed", "summary": "Lodz has failed"}),
        ("digest", {"status": "ok", "summary": "none failed"}),
        ("eval", {"user_message": "From Kraków to Hafenstraße"}),
    ]
    for kind, content in contents:
        about = {"target_agent_id": "desk", "session_id": "s", "trace_id": uuid.uuid4(), "created_at": timezone.now()}
        workspace.masher_rows.create(kind=kind, content=content, **about)
    kept = f"/w/{workspace.slug}/evals/kept/"
    found = {
        query: visitor.get(f"{kept}?{query}").content.decode() for query in ("q=Kraków", "q=to Hafen", "status=failed")
    }
    assert ["Hafenstra" in html for html in found.values()] == [True, True, False]
    assert ["Lodz" in html for html in found.values()] == [False, False, True]
    assert "none failed" not in found["status=failed"]
