"""Datasets of questions, experiments of agents over them, and what each answer was worth."""

from django.db import models
from django.db.models import Q
from typing_extensions import override

from agents.models import AgentVersion
from runtime.models import AgentRequest
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class Dataset(models.Model):
    """Questions, and what a good answer to each would be."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=1000, blank=True)
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["Dataset"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="dataset_name_unique")]

    @override
    def __str__(self) -> str:
        return self.name


class DatasetRow(models.Model):
    """One question."""

    class Status(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        PROPOSED = "proposed", "To be looked at"
        REJECTED = "rejected", "Rejected"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="dataset_rows")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="questions")
    message = models.TextField()
    expected = models.TextField(blank=True, help_text="The answer, or what a good one does.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    metadata = models.JSONField(default=dict, blank=True)
    source = models.CharField(max_length=20, blank=True, help_text="Where it comes from: trace, masher, file, hand.")
    trace_id = models.UUIDField(null=True, help_text="Of the turn that it was taken from.")
    created_at = models.DateTimeField()

    rows = models.Manager["DatasetRow"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "trace_id"], condition=Q(trace_id__isnull=False), name="dataset_row_of_trace_unique"
            )
        ]

    @override
    def __str__(self) -> str:
        return self.message[:60]


class Experiment(models.Model):
    """An agent's version over a dataset. Its run is a workflow's, so it is as durable as that."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="experiments")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="experiments")
    name = models.CharField(max_length=100)
    agent_version = models.ForeignKey(AgentVersion, models.RESTRICT, related_name="+")
    checks = models.JSONField(default=list)
    judge = models.CharField(max_length=150, blank=True, help_text="Id of the agent that judges answers.")
    rubric = models.TextField(blank=True, help_text="What makes an answer good, for the judge.")
    repeats = models.PositiveIntegerField(default=1)
    max_concurrency = models.PositiveIntegerField(default=4)
    agent_request = models.OneToOneField(AgentRequest, models.CASCADE, null=True, related_name="experiment")
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["Experiment"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="experiment_name_unique")]

    @override
    def __str__(self) -> str:
        return self.name


class ExperimentResult(models.Model):
    """What one answer was worth."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="experiment_results")
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="results")
    question = models.ForeignKey(DatasetRow, models.CASCADE, related_name="results")
    repeat = models.PositiveIntegerField(default=1)
    agent_request = models.ForeignKey(AgentRequest, models.SET_NULL, null=True, related_name="+")
    answer = models.TextField(blank=True)
    error = models.CharField(max_length=500, blank=True, help_text="Why there is no answer.")
    checks = models.JSONField(default=dict, help_text="By name, whether the answer passes it.")
    score = models.FloatField(null=True, help_text="The judge's, from 0 to 1.")
    explanation = models.TextField(blank=True, help_text="The judge's.")
    has_passed = models.BooleanField(default=False)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=9, default=0)
    duration_ms = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    rows = models.Manager["ExperimentResult"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["question_id", "repeat"]
        constraints = [
            models.UniqueConstraint(fields=["experiment", "question", "repeat"], name="experiment_result_unique")
        ]

    @override
    def __str__(self) -> str:
        return f"{self.question_id}.{self.repeat}"
