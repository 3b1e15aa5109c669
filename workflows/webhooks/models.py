"""Where webhooks go, and what became of each."""

from django.db import models
from typing_extensions import override

from runtime.models import AgentRequest
from workspaces import encryption
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager

EVENT_TYPES = tuple(f"{what}.{end}" for what in ("request", "run") for end in ("completed", "failed", "cancelled"))


class WebhookEndpoint(models.Model):
    """An address that is told of ends. It follows the log from where it stood when it was made, or switched on again."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="webhook_endpoints")
    name = models.CharField(max_length=100)
    url = models.URLField(max_length=500)
    encrypted_secret = models.TextField(editable=False)
    event_types = models.JSONField(default=list, help_text="Empty: all of them.")
    is_enabled = models.BooleanField(default=True)
    cursor = models.BigIntegerField(default=0, help_text="Id of the latest event that was looked at.")
    fault = models.CharField(max_length=300, blank=True, help_text="Why it was switched off.")
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["WebhookEndpoint"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="webhook_endpoint_name_unique")]

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def secret(self) -> str:
        """As receivers configure it: `whsec_` and base64."""
        return encryption.decrypt(self.encrypted_secret)


class WebhookDelivery(models.Model):
    """One message to one endpoint, however often it was tried."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="webhook_deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=64, unique=True, help_text="The same for every attempt.")
    event_type = models.CharField(max_length=40)
    agent_request = models.ForeignKey(AgentRequest, models.CASCADE, null=True, related_name="+")
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    status_code = models.PositiveIntegerField(null=True, help_text="Of the latest answer.")
    fault = models.CharField(max_length=500, blank=True)
    took_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    rows = models.Manager["WebhookDelivery"]()
    objects = ClosedManager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(state="pending"), name="webhook_delivery_due"),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_by_endpoint"),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
        ]

    @override
    def __str__(self) -> str:
        return self.message_id
