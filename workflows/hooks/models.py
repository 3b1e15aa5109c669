"""Inbound hooks: the address is signed, so nothing secret is stored, and another generation makes it void."""

from django.db import models
from typing_extensions import override

from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class InboundHook(models.Model):
    """An address that starts a run; who has it needs no token."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="inbound_hooks")
    workflow = models.ForeignKey("workflows.Workflow", models.CASCADE, related_name="inbound_hooks")
    name = models.CharField(max_length=100)
    generation = models.PositiveIntegerField(default=1, help_text="Part of the address; rises when it is drawn anew.")
    is_enabled = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["InboundHook"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="inbound_hook_name_unique")]

    @override
    def __str__(self) -> str:
        return self.name
