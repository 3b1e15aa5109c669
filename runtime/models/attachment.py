"""Files that come with messages, kept once per workspace and content, and which requests use them."""

import uuid

from django.db import models
from typing_extensions import override

from runtime.models.request import AgentRequest
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class Attachment(models.Model):
    """One content, whatever it is called: the name belongs to each use."""

    attachment_id = models.UUIDField(unique=True, default=uuid.uuid4)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="attachments")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="Bytes.")
    media_type = models.CharField(max_length=40, help_text="What the content itself shows to be.")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField(help_text="The latest upload or use; unused ones are removed a day later.")

    rows = models.Manager["Attachment"]()
    objects = ClosedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "sha256"], name="attachment_stored_once"),
        ]
        indexes = [
            # The admin's list
            models.Index(fields=["workspace", "-id"], name="attachment_by_workspace"),
            # What nobody has touched for a day
            models.Index(fields=["touched_at"], name="attachment_by_age"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.attachment_id)


class AttachmentContent(models.Model):
    """The bytes: in the database, where every web and worker process sees them, and beside the row, which is often touched."""

    attachment = models.OneToOneField(Attachment, models.CASCADE, primary_key=True, related_name="content")
    data = models.BinaryField()

    rows = models.Manager["AttachmentContent"]()
    objects = ClosedManager()

    @override
    def __str__(self) -> str:
        return str(self.attachment_id)


class AttachmentUse(models.Model):
    """A request came with this attachment, which is therefore kept."""

    agent_request = models.ForeignKey(AgentRequest, models.CASCADE, related_name="attachment_uses")
    attachment = models.ForeignKey(Attachment, models.RESTRICT, related_name="uses")

    rows = models.Manager["AttachmentUse"]()
    objects = ClosedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent_request", "attachment"], name="attachment_used_once_per_request"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.attachment_id} in {self.agent_request_id}"
