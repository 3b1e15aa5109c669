"""Workflows in a workspace, and functions for their steps that leave traces of what they did."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from workflows import catalogue
from workflows.code import StepContext, StepFailed, StepResult
from workflows.definition import WorkflowDefinition
from workflows.models import Workflow, WorkflowRun
from workflows.start import find_workflow, start_run
from workflows.versions import save_workflow
from workspaces.models import Workspace

called: Counter[str] = Counter()
"""How often each step of each run was called, by idempotency key."""

Define = Callable[..., Workflow]
Start = Callable[..., WorkflowRun]


def double(number: int, context: StepContext) -> int:
    called[context.idempotency_key] += 1
    return 2 * number


def fail_until(times: int, context: StepContext) -> int:
    called[context.idempotency_key] += 1
    if context.attempt < times:
        raise StepFailed(f"not yet: {context.attempt}", code="not_yet")
    return context.attempt


def count(context: StepContext) -> StepResult:
    """Counts the runs that came this far."""
    so_far = int(context.state.get("runs", 0)) + 1
    return StepResult(output=so_far, state={"runs": so_far})


@pytest.fixture(autouse=True)
def _functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_offered", {})
    for function in (double, fail_until, count):
        catalogue.offer_function(function, crash_policy="idempotent")
    called.clear()


@pytest.fixture
def define(workspace: Workspace) -> Define:
    def make(*steps: dict[str, Any], workflow_id: str = "wf", **more: Any) -> Workflow:
        found = workspace.workflows.filter(workflow_id=workflow_id).first()
        workflow = found or catalogue.new_workflow(workspace, workflow_id)
        save_workflow(workflow, WorkflowDefinition.model_validate({"steps": steps, **more}), actor="tests")
        return find_workflow(workspace, workflow_id)

    return make


@pytest.fixture
def start() -> Start:
    def run(workflow: Workflow, given: Any = None, **more: Any) -> WorkflowRun:
        return start_run(workflow, {} if given is None else given, by="tests", **more)

    return run


def run_in(workspace: Workspace) -> WorkflowRun:
    """A run of a small workflow that nobody has begun to work on."""
    workflow = catalogue.new_workflow(workspace, "secret-workflow")
    definition = WorkflowDefinition.model_validate({"steps": [{"id": "wait", "kind": "wait", "seconds": 1}]})
    save_workflow(workflow, definition, actor="tests")
    return start_run(find_workflow(workspace, "secret-workflow"), {}, by="tests")
