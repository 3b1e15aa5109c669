"""A question that a request has for a person (extensions 5)."""

import secrets

from django.db import models
from django.db.models import Q
from typing_extensions import override

from runtime.models.request import AgentRequest
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


def new_interaction_id() -> str:
    """`itr_` and 12 hex digits."""
    return f"itr_{secrets.token_hex(6)}"


class Interaction(models.Model):
    """One open question; the request goes on when all of its questions are settled."""

    class Kind(models.TextChoices):
        APPROVAL = "approval"
        CHOICE = "choice"
        INFO = "info"

    class State(models.TextChoices):
        OPEN = "open"
        ANSWERED = "answered"
        EXPIRED = "expired"
        CANCELLED = "cancelled"

    interaction_id = models.CharField(max_length=20, unique=True, default=new_interaction_id)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="interactions")
    agent_request = models.ForeignKey(AgentRequest, models.CASCADE, related_name="interactions")
    run = models.PositiveIntegerField(help_text="The run of the request that asks.")
    loop_index = models.PositiveIntegerField()
    call_id = models.CharField(max_length=200, help_text="The tool call that this is about.")
    turn = models.PositiveIntegerField(default=1, help_text="A call that was interrupted may be asked about again.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    prompt = models.TextField()
    schema = models.JSONField(null=True, help_text="JSON Schema of a free answer, if it must have one.")
    options = models.JSONField(default=list)
    tool_calls = models.JSONField(default=list, help_text="What would run: id, name and arguments.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    deadline = models.DateTimeField()
    answer = models.JSONField(null=True)
    note = models.TextField(blank=True, help_text="What the person adds for the model.")
    answered_by = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    rows = models.Manager["Interaction"]()
    objects = ClosedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent_request", "run", "loop_index", "call_id", "turn"], name="one_interaction_per_call"
            ),
        ]
        indexes = [
            # The inbox
            models.Index(fields=["workspace", "-id"], condition=Q(state="open"), name="interaction_open"),
            models.Index(fields=["workspace", "-id"], name="interaction_by_workspace"),
        ]

    @override
    def __str__(self) -> str:
        return self.interaction_id
