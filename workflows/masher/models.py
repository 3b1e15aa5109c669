"""Rows that Masher has made, as they also stand in its artifacts."""

from django.db import models
from typing_extensions import override

from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class MasherRow(models.Model):
    """A digest, or a row for evals, of one trace."""

    class Kind(models.TextChoices):
        DIGEST = "digest", "Digest"
        EVAL = "eval", "Row for evals"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="masher_rows")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    target_agent_id = models.CharField(max_length=200)
    session_id = models.CharField(max_length=255)
    trace_id = models.UUIDField()
    content = models.JSONField(help_text="The line of the artifact.")
    created_at = models.DateTimeField()

    rows = models.Manager["MasherRow"]()
    objects = ClosedManager()

    class Meta:
        verbose_name = "Masher row"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "target_agent_id", "session_id", "trace_id"], name="masher_row_unique"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "kind", "-id"], name="masher_row_by_kind")]

    @override
    def __str__(self) -> str:
        return f"{self.kind} of {self.trace_id}"
