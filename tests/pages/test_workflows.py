"""Workflows in the browser: from the admin's form to a run, a schedule, and a run from a step on."""

import json
import re

import pytest
from django.test import Client

from runtime.models import AgentRequest
from tests.conftest import Driver
from tests.pages.conftest import signed_in
from tests.workflows.conftest import Define, define
from tests.workflows.test_runs import step
from workflows.models import Workflow, WorkflowRun
from workspaces.models import User, Workspace

__all__ = ["define"]
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "minimum": 1}, "kind": {"type": "string", "enum": ["a", "b"]}},
    "required": ["n"],
}


def place(workspace: Workspace, rest: str) -> str:
    return f"/w/{workspace.slug}/workflows/{rest}"


@pytest.fixture
def workflow(transactional_db: None, define: Define) -> Workflow:
    define_it = {"id": "ask", "kind": "human", "prompt": "Go on?"}
    return define(step("first", "no_such_function", on_error="continue"), define_it, input_schema=SCHEMA)


def test_a_run_is_started_by_a_form_made_of_its_schema(
    visitor: Client, workspace: Workspace, workflow: Workflow, run_requests: Driver
) -> None:
    html = visitor.get(place(workspace, "wf/run/")).content.decode()
    assert 'type="number"' in html
    assert '<option value="a">a</option>' in html
    refused = visitor.post(place(workspace, "wf/run/"), {"input-n": "0"})
    assert refused.status_code == 422
    went = visitor.post(place(workspace, "wf/run/"), {"input-n": "2", "input-kind": "b", "dedup_key": "k"})
    [run] = WorkflowRun.rows.all()
    assert (run.input, run.trigger) == ({"n": 2, "kind": "b"}, "page")
    assert went["Location"] == f"/w/{workspace.slug}/requests/{run.agent_request.request_id}/"
    again = visitor.post(place(workspace, "wf/run/"), {"input-n": "2", "dedup_key": "k"})
    assert run.run_id in again.content.decode()
    run_requests()
    html = visitor.get(went["Location"]).content.decode()
    for shown in ("first", "ask", "Waiting for a person", "By hand", 'value="approve"'):
        assert shown in html
    listed = visitor.get(place(workspace, "wf/?status=running")).content.decode()
    assert run.run_id in listed
    assert run.run_id not in visitor.get(place(workspace, "wf/?status=failed")).content.decode()
    assert visitor.get(place(workspace, f"wf/runs/{run.run_id}/"))["Location"] == went["Location"]


@pytest.mark.parametrize("text", ["{", '{"n": NaN}', "[" * 5000 + "]" * 5000])
def test_an_input_that_is_not_json_is_said_to_be_none(
    visitor: Client, workspace: Workspace, define: Define, text: str
) -> None:
    define({"id": "later", "kind": "wait", "seconds": 1})
    base = f"/w/{workspace.slug}/workflows/wf"
    schedule = {"name": "daily", "kind": "cron", "cron": "0 9 * * *", "zone": "UTC", "overlap": "skip", "jitter_s": "0"}
    for path, form in ((f"{base}/run/", {"json": text}), (f"{base}/schedules/new/", {**schedule, "input": text})):
        answer = visitor.post(path, form)
        assert (answer.status_code, "It is " in answer.content.decode()) == (422, True), path


def test_a_run_is_run_once_more_from_a_step_on(
    visitor: Client, workspace: Workspace, define: Define, run_requests: Driver, transactional_db: None
) -> None:
    define({"id": "first", "kind": "wait", "seconds": 0}, {"id": "second", "kind": "wait", "seconds": 0})
    visitor.post(place(workspace, "wf/run/"), {"json": "{}"})
    run_requests()
    old = WorkflowRun.rows.get()
    address = place(workspace, f"wf/runs/{old.run_id}/rerun/")
    assert "second: it and all after it are done again" in visitor.get(address).content.decode()
    assert visitor.post(address, {"json": "{"}).status_code == 422
    visitor.post(address, {"json": '{"a": 1}', "from_step": "second"})
    new = WorkflowRun.rows.exclude(pk=old.pk).get()
    assert (new.input, new.from_step, new.agent_request.rerun_of_id) == ({"a": 1}, "second", old.pk)


def test_a_schedule_is_made_paused_run_and_removed(visitor: Client, workspace: Workspace, workflow: Workflow) -> None:
    form = {
        "name": "daily",
        "kind": "cron",
        "cron": "61 * * * *",
        "zone": "Europe/Berlin",
        "overlap": "skip",
        "catch_up": "latest",
        "jitter_s": "0",
        "input": '{"n": 1}',
    }
    refused = visitor.post(place(workspace, "wf/schedules/new/"), form)
    assert refused.status_code == 422
    assert "Not a cron expression" in refused.content.decode()
    visitor.post(place(workspace, "wf/schedules/new/"), form | {"cron": "0 9 * * *"})
    schedule = workspace.schedules.get()
    assert schedule.input == {"n": 1}
    shown = visitor.get(place(workspace, "wf/?tab=schedules")).content.decode()
    assert len(re.findall(r"<time", shown)) >= 5
    address = place(workspace, f"wf/schedules/{schedule.pk}/")
    for action, is_paused in (("pause", True), ("go-on", False)):
        visitor.post(address, {"action": action})
        schedule.refresh_from_db()
        assert schedule.is_paused is is_paused
    visitor.post(address, {"action": "run"})
    assert WorkflowRun.rows.get().schedule == schedule
    visitor.post(address, {"action": "remove"})
    assert not workspace.schedules.exists()


def test_the_admins_form_checks_what_is_defined(owner: User, workspace: Workspace, workflow: Workflow) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    admin = signed_in(owner)
    form = {"workspace": workspace.pk, "workflow_id": "made", "is_enabled": "on", "position": "0", "note": ""}
    faults = {
        "steps: [": "No YAML",
        "steps: []": "at least 1 item",
        "steps: [{id: a, kind: agent, agent_id: nobody}]": "there is no agent",
        "steps: [{id: a, kind: code, function: nothing}]": "offers no function",
        "steps: [{id: a, kind: workflow, workflow_id: made}]": "It would run itself",
    }
    for text, fault in faults.items():
        answer = admin.post("/admin/workflows/workflow/add/", form | {"text": text})
        assert (answer.status_code, fault in answer.content.decode()) == (200, True), text
    assert not workspace.workflows.filter(workflow_id="made").exists()
    admin.post("/admin/workflows/workflow/add/", form | {"text": "steps: [{id: a, kind: wait, seconds: 0}]"})
    made = workspace.workflows.get(workflow_id="made")
    assert made.current_version
    change = f"/admin/workflows/workflow/{made.pk}/change/"
    admin.post(
        change, {"is_enabled": "on", "position": "0", "text": "steps: [{id: b, kind: wait, seconds: 0}]", "note": "b"}
    )
    assert list(made.versions.values_list("number", flat=True)) == [2, 1]
    assert AgentRequest.rows.filter(kind="workflow").count() == 0


def test_hooks_and_webhooks_are_managed_by_hand(
    visitor: Client, viewer: Client, workspace: Workspace, workflow: Workflow
) -> None:
    hooks = place(workspace, "wf/hooks/")
    visitor.post(hooks, {"action": "make", "name": "push"})
    hook = workspace.inbound_hooks.get()
    shown = visitor.get(place(workspace, "wf/?tab=hooks")).content.decode()
    [address] = re.findall(r'data-copy="(http[^"]+/hooks/[^"]+)"', shown)
    assert "/hooks/" not in viewer.get(place(workspace, "wf/?tab=hooks")).content.decode()
    assert Client().post(address, {"n": 1}, content_type="application/json").status_code == 202
    visitor.post(hooks, {"action": "anew", "hook": hook.pk})
    assert Client().post(address, {"n": 1}, content_type="application/json").status_code == 404
    visitor.post(hooks, {"action": "remove", "hook": hook.pk})
    assert not workspace.inbound_hooks.exists()

    webhooks = f"/w/{workspace.slug}/webhooks/"
    assert visitor.post(webhooks, {"name": "shop", "url": "ftp://x"}).status_code == 422
    made = visitor.post(webhooks, {"name": "shop", "url": "https://shop.example/", "event_types": ["run.failed"]})
    endpoint = workspace.webhook_endpoints.get()
    assert endpoint.secret in made.content.decode()
    assert endpoint.secret not in visitor.get(webhooks).content.decode()
    page = f"{webhooks}{endpoint.pk}/"
    visitor.post(page, {"action": "test"})
    delivery = endpoint.deliveries.get()
    assert delivery.message_id in visitor.get(f"{page}?state=pending").content.decode()
    endpoint.deliveries.update(state="failed", next_at=None)
    visitor.post(page, {"action": "redeliver", "message": delivery.message_id})
    assert endpoint.deliveries.get().state == "pending"
    assert viewer.post(page, {"action": "remove"}).status_code == 403
    visitor.post(page, {"action": "remove"})
    assert not workspace.webhook_endpoints.exists()


def test_what_masher_has_kept_is_searched_and_taken_along(visitor: Client, workspace: Workspace) -> None:
    for number, words in enumerate(("a lost parcel", "a broken lamp")):
        content = {"summary": words, "trace_id": f"{number}"}
        about = {
            "target_agent_id": "support",
            "session_id": "s",
            "trace_id": f"00000000-0000-4000-8000-00000000000{number}",
        }
        workspace.masher_rows.create(kind="digest", content=content, created_at=workspace.created_at, **about)
    found = visitor.get(f"/w/{workspace.slug}/evals/kept/?q=LAMP").content.decode()
    assert ("a broken lamp" in found, "a lost parcel" in found) == (True, False)
    lines = visitor.get(f"/w/{workspace.slug}/evals/kept/?export=1&q=parcel").content.decode().splitlines()
    assert [json.loads(line)["summary"] for line in lines] == ["a lost parcel"]
