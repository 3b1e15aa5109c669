"""The nouns of this room: workflows with their immutable versions, their runs, and what tasks remember between runs."""

from functools import cached_property

from django.db import models
from typing_extensions import override

from agents.models import Agent
from runtime.models import AgentRequest
from workflows.definition import WorkflowDefinition
from workflows.evals.models import Dataset, DatasetRow, Experiment, ExperimentResult
from workflows.hooks.models import InboundHook
from workflows.masher.models import MasherRow
from workflows.schedules.models import Schedule
from workflows.webhooks.models import WebhookDelivery, WebhookEndpoint
from workspaces.models import User, Workspace
from workspaces.scoping import ClosedManager

__all__ = [
    "Dataset",
    "DatasetRow",
    "Experiment",
    "ExperimentResult",
    "InboundHook",
    "MasherRow",
    "Schedule",
    "TaskState",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Workflow",
    "WorkflowRun",
    "WorkflowVersion",
]


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    def offered(self) -> "WorkflowQuerySet":
        """Those that can be run."""
        return self.listed().filter(is_enabled=True, is_gone=False)

    def listed(self) -> "WorkflowQuerySet":
        """Those that people and code have defined."""
        return self.exclude(source=Workflow.Source.MASH)


class Workflow(models.Model):
    """One workflow of a workspace; what a run does is said by its current version."""

    class Source(models.TextChoices):
        DATABASE = "database", "Admin"
        CODE = "code", "Code"
        MASH = "mash", "Mash itself"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="workflows")
    workflow_id = models.CharField(max_length=150, help_text="The workflow's name in URLs and logs.")
    agent = models.OneToOneField(
        Agent, models.CASCADE, related_name="workflow", editable=False, help_text="Stands for it in requests and logs."
    )
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.DATABASE, editable=False)
    is_enabled = models.BooleanField(default=True, help_text="A disabled workflow keeps its history and is not run.")
    is_gone = models.BooleanField(
        default=False, editable=False, help_text="It comes from code that is not part of this deployment just now."
    )
    position = models.PositiveIntegerField(default=0, help_text="Order in listings.")
    current_version = models.ForeignKey(
        "WorkflowVersion", models.RESTRICT, null=True, related_name="current_for", editable=False
    )
    created_at = models.DateTimeField()

    rows = WorkflowQuerySet.as_manager()
    objects = ClosedManager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "workflow_id"], name="workflow_id_unique")]

    @override
    def __str__(self) -> str:
        return self.workflow_id


class WorkflowVersion(models.Model):
    """A workflow's definition at one time. Never changed: runs point to the version that they run."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="workflow_versions")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["WorkflowVersion"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="workflow_version_number_unique")]

    @override
    def __str__(self) -> str:
        return f"{self.workflow} v{self.number}"

    @cached_property
    def typed_definition(self) -> WorkflowDefinition:
        return WorkflowDefinition.model_validate(self.definition)


class WorkflowRun(models.Model):
    """What makes a run of a request: which workflow and version, and why it was started."""

    class Trigger(models.TextChoices):
        API = "api", "API"
        PAGE = "page", "By hand"
        SCHEDULE = "schedule", "Schedule"
        HOOK = "hook", "Inbound URL"
        WORKFLOW = "workflow", "Another workflow"
        RERUN = "rerun", "Rerun"
        EXPERIMENT = "experiment", "Experiment"

    agent_request = models.OneToOneField(AgentRequest, models.CASCADE, primary_key=True, related_name="workflow_run")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="workflow_runs")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="runs")
    version = models.ForeignKey(WorkflowVersion, models.RESTRICT, related_name="+")
    run_id = models.CharField(max_length=255)
    input = models.JSONField(default=dict)
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.API)
    from_step = models.CharField(max_length=100, blank=True, help_text="The first step that a rerun repeats.")
    schedule = models.ForeignKey(Schedule, models.SET_NULL, null=True, related_name="runs")
    scheduled_for = models.DateTimeField(null=True, help_text="The time that it stands for.")
    hook = models.ForeignKey(InboundHook, models.SET_NULL, null=True, related_name="runs")
    hook_call = models.CharField(max_length=255, blank=True, help_text="What the caller of the hook names its call.")

    rows = models.Manager["WorkflowRun"]()
    objects = ClosedManager()

    class Meta:
        verbose_name = "run"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "run_id"], name="run_id_unique"),
            models.UniqueConstraint(fields=["schedule", "scheduled_for"], name="run_of_a_time_unique"),
            models.UniqueConstraint(
                fields=["hook", "hook_call"], condition=~models.Q(hook_call=""), name="run_of_a_call_unique"
            ),
        ]
        indexes = [models.Index(fields=["workflow", "-agent_request"], name="run_by_workflow")]

    @override
    def __str__(self) -> str:
        return self.run_id


class TaskState(models.Model):
    """What a step has left for itself in the next run: its checkpoint."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="task_states")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="task_states")
    task_id = models.CharField(max_length=100)
    value = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(
        default=1, help_text="Rises with each change; a run may only replace what it has read."
    )
    updated_at = models.DateTimeField()

    rows = models.Manager["TaskState"]()
    objects = ClosedManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "task_id"], name="task_state_unique")]

    @override
    def __str__(self) -> str:
        return f"{self.workflow}: {self.task_id}"
