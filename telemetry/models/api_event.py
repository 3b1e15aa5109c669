"""One answered call of the API (contract 8.3)."""

from typing import Any

from django.db import models
from typing_extensions import override

from workspaces.models import Workspace
from workspaces.scoping import ClosedManager

EVENT_TYPE = "api.request.complete"


class ApiEvent(models.Model):
    """Written in batches some moments after the answer; secrets are taken out before."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_events")
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=1000)
    route = models.CharField(max_length=300, help_text="The path with the names of its arguments.")
    query_params = models.JSONField(default=dict)
    status_code = models.PositiveSmallIntegerField()
    duration_ms = models.PositiveIntegerField()
    request_headers = models.JSONField(default=dict)
    response_headers = models.JSONField(default=dict)
    request_body = models.JSONField(default=dict)
    response_body = models.JSONField(default=dict)
    client_host = models.CharField(max_length=100, blank=True)
    principal = models.CharField(max_length=200, help_text="`token:<prefix>` or a user name.")
    created_at = models.DateTimeField()

    rows = models.Manager["ApiEvent"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["id"]
        verbose_name = "API event"
        indexes = [
            # The workspace's newest calls
            models.Index(fields=["workspace", "-id"], name="api_event_by_workspace"),
            # What is old enough to go
            models.Index(fields=["workspace", "created_at"], name="api_event_by_age"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status_code}"

    def as_json(self) -> dict[str, Any]:
        """The shape of contract 8.3, and who called."""
        return {
            "api_event_id": self.pk,
            "method": self.method,
            "path": self.path,
            "query_params": self.query_params,
            "status_code": self.status_code,
            "duration_ms": self.duration_ms,
            "request_headers": self.request_headers,
            "response_headers": self.response_headers,
            "request_body": self.request_body,
            "response_body": self.response_body,
            "client_host": self.client_host or None,
            "event_type": EVENT_TYPE,
            "created_at": self.created_at.timestamp(),
            "principal": self.principal,
        }
