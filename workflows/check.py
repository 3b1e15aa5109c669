"""Whether a definition fits its workspace: agents, functions and workflows that it names are there, and none runs itself."""

from collections.abc import Iterable

from workflows.catalogue import code_functions
from workflows.definition import AgentStep, CodeStep, WorkflowDefinition, WorkflowStep, all_steps
from workspaces.models import Workspace


def definition_faults(workspace: Workspace, workflow_id: str, definition: WorkflowDefinition) -> list[str]:
    """What is wrong, as sentences that name the step."""
    steps = list(all_steps(definition.steps))
    agents = set(workspace.agents.listed().values_list("agent_id", flat=True))
    known = set(workspace.workflows.values_list("workflow_id", flat=True)) | {workflow_id}
    functions = code_functions()
    faults = []
    for step in steps:
        if isinstance(step, AgentStep) and step.agent_id not in agents:
            faults.append(f"{step.id}: there is no agent {step.agent_id!r} in this workspace.")
        if isinstance(step, CodeStep) and step.function not in functions:
            offered = ", ".join(sorted(functions)) or "none"
            faults.append(f"{step.id}: this deployment offers no function {step.function!r}; it offers {offered}.")
        if isinstance(step, WorkflowStep) and step.workflow_id not in known:
            faults.append(f"{step.id}: there is no workflow {step.workflow_id!r} in this workspace.")
    if cycle := _cycle(workspace, workflow_id, definition):
        faults.append(f"It would run itself: {' → '.join(cycle)}.")
    return faults


def _cycle(workspace: Workspace, workflow_id: str, definition: WorkflowDefinition) -> list[str]:
    """The way from the workflow back to itself; empty when there is none."""
    rows = workspace.workflows.select_related("current_version").exclude(current_version=None)
    called = {row.workflow_id: _called(row.current_version.typed_definition) for row in rows if row.current_version}
    called[workflow_id] = _called(definition)
    ways, seen = [[workflow_id]], {workflow_id}
    while ways:
        way = ways.pop()
        for name in called.get(way[-1], ()):
            if name == workflow_id:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _called(definition: WorkflowDefinition) -> Iterable[str]:
    return [step.workflow_id for step in all_steps(definition.steps) if isinstance(step, WorkflowStep)]
