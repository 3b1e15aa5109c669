"""What a model has said so far, for clients that come late; gone once its answer is in the log."""

from django.db import models
from typing_extensions import override

from runtime.models.request import AgentRequest
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class ResponseDraft(models.Model):
    """Overwritten at most every 500 ms while the model speaks. Not an event: nothing is rebuilt from it."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="response_drafts")
    agent_request = models.OneToOneField(AgentRequest, models.CASCADE, related_name="draft")
    head = models.PositiveIntegerField(help_text="Sequence of the event by which the model was asked.")
    attempt = models.PositiveIntegerField(help_text="Which call of the model this is within the step.")
    loop_index = models.PositiveIntegerField()
    text = models.TextField()

    rows = models.Manager["ResponseDraft"]()
    objects = ClosedManager()

    @override
    def __str__(self) -> str:
        return f"{self.agent_request_id}, step {self.loop_index}"
