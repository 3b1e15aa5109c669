"""An experiment is a run of a workflow: a map over the dataset's questions, each of which is a request to the agent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.models import AgentVersion
from runtime.events import storable
from workflows.catalogue import new_workflow
from workflows.definition import WorkflowDefinition
from workflows.errors import DatasetEmpty, ExperimentExists
from workflows.evals.checks import read_checks
from workflows.evals.models import Dataset, DatasetRow, Experiment
from workflows.models import Workflow
from workflows.start import Trigger, find_workflow, start_run
from workflows.versions import save_workflow
from workspaces.api.envelope import InvalidBody
from workspaces.models import Workspace

WORKFLOW_ID = "mash-experiments"
MOST_REPEATS = 20
JUDGE_MESSAGE = """You judge an answer. Reply with a JSON object and nothing else:
{"score": <number from 0 to 1>, "explanation": "<one or two sentences>"}

What makes an answer good:
${run_rubric}

The message:
${item.message}

What is expected:
${item.expected}

The answer:
${steps.ask}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an experiment is to do."""

    name: str
    agent_version: AgentVersion
    checks: list[Mapping[str, Any]] = field(default_factory=list)
    judge: str = ""
    rubric: str = ""
    repeats: int = 1
    max_concurrency: int = 4


def start_experiment(dataset: Dataset, wanted: Plan, *, by: str) -> Experiment:
    """Stores it and starts its run. Raises `InvalidBody`, `DatasetEmpty` and `ExperimentExists`."""
    _check(dataset, wanted)
    workspace = dataset.workspace
    try:
        with transaction.atomic():
            experiment = workspace.experiments.create(
                dataset=dataset,
                name=wanted.name,
                agent_version=wanted.agent_version,
                checks=storable(wanted.checks),
                judge=wanted.judge,
                rubric=wanted.rubric,
                repeats=wanted.repeats,
                max_concurrency=wanted.max_concurrency,
                created_by=by,
                created_at=timezone.now(),
            )
            workflow = _workflow(workspace, experiment, by=by)
            run = start_run(workflow, {"experiment": experiment.pk}, by=by, trigger=Trigger.EXPERIMENT)
            experiment.agent_request = run.agent_request
            experiment.save(update_fields=["agent_request"])
            return experiment
    except IntegrityError as error:
        text = f"There is an experiment {wanted.name!r} already."
        raise ExperimentExists(text, details={"field": "name"}) from error


def definition_of(experiment: Experiment) -> WorkflowDefinition:
    """The steps of an experiment's run."""
    agent_id = experiment.agent_version.agent.agent_id
    asked = {"id": "ask", "kind": "agent", "agent_id": agent_id, "agent_version": experiment.agent_version.number}
    steps: list[dict[str, Any]] = [{**asked, "message": "${item.message}", "answer": "text", "on_error": "continue"}]
    if experiment.judge:
        rubric = (experiment.rubric or "It does what is expected.").replace("$", "$$")
        message = JUDGE_MESSAGE.replace("${run_rubric}", rubric)
        judge = {"id": "judge", "kind": "agent", "agent_id": experiment.judge, "message": message}
        steps.append({**judge, "when": "steps.ask", "on_error": "continue", "retry": {"attempts": 2}})
    given = "{item: item, answer: steps.ask, judged: steps.judge}"
    steps.append({"id": "score", "kind": "code", "function": "mash.score_answer", "input": given})
    each = {"id": "each", "kind": "map", "over": "steps.questions", "steps": steps}
    questions = {"id": "questions", "kind": "code", "function": "mash.list_questions", "input": "input.experiment"}
    return WorkflowDefinition.model_validate(
        {
            "description": "Experiments: an agent's version over a dataset.",
            "steps": [questions, {**each, "max_concurrency": experiment.max_concurrency}],
            "output": "{answers: length(steps.each)}",
        }
    )


def _workflow(workspace: Workspace, experiment: Experiment, *, by: str) -> Workflow:
    """The one of all experiments, at a version for this one."""
    workflow = workspace.workflows.filter(workflow_id=WORKFLOW_ID).first()
    workflow = workflow or new_workflow(workspace, WORKFLOW_ID, source=Workflow.Source.MASH)
    save_workflow(workflow, definition_of(experiment), actor=by, note=f"Experiment {experiment.name}"[:200])
    return find_workflow(workspace, WORKFLOW_ID)


def _check(dataset: Dataset, wanted: Plan) -> None:
    read_checks(wanted.checks)
    faults = {}
    if not wanted.name.strip():
        faults["name"] = "An experiment needs a name."
    if not 1 <= wanted.repeats <= MOST_REPEATS:
        faults["repeats"] = f"Between 1 and {MOST_REPEATS}."
    if not 1 <= wanted.max_concurrency <= 50:
        faults["max_concurrency"] = "Between 1 and 50."
    if not wanted.checks and not wanted.judge:
        faults["checks"] = "Say by which checks, or by which judge, an answer passes."
    if wanted.judge and not dataset.workspace.agents.offered().filter(agent_id=wanted.judge).exists():
        faults["judge"] = f"There is no agent {wanted.judge!r}."
    if faults:
        errors = [{"type": "value_error", "loc": ["body", name], "msg": text} for name, text in faults.items()]
        raise InvalidBody(errors)
    if not dataset.questions.filter(status=DatasetRow.Status.ACCEPTED).exists():
        raise DatasetEmpty(f"The dataset {dataset.name} has no accepted row.")
