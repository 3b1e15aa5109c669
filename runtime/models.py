"""The nouns of running: durable requests, the append-only event log, and idempotency keys."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from typing_extensions import override

from agents.models import Agent, AgentVersion
from runtime import among  # noqa: F401  registers the lookup
from runtime.kinds import FALLEN, LEGAL_MOVES, QUEUED, TERMINAL, UNFINISHED, Reason, Status
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class AgentRequestQuerySet(models.QuerySet["AgentRequest"]):
    def unfinished(self) -> "AgentRequestQuerySet":
        """By the partial indexes, whose condition this repeats."""
        return self.filter(status__among=UNFINISHED)

    def queued(self) -> "AgentRequestQuerySet":
        return self.unfinished().filter(status__in=QUEUED)

    def running(self) -> "AgentRequestQuerySet":
        return self.unfinished().filter(status=Status.RUNNING)

    def fallen(self) -> "AgentRequestQuerySet":
        """Failed or cancelled, by the partial index on those."""
        return self.filter(status__among=FALLEN)

    def in_session_of(self, agent_request: "AgentRequest") -> "AgentRequestQuerySet":
        return self.filter(
            workspace_id=agent_request.workspace_id,
            agent_id=agent_request.agent_id,
            session_id=agent_request.session_id,
        )

    def with_agent(self) -> "AgentRequestQuerySet":
        return self.select_related("workspace", "agent", "agent_version")

    def move(self, to: Status, **changes: Any) -> int:
        """Changes the status of these rows where that is legal, and returns how many changed."""
        return self.filter(status__in=LEGAL_MOVES[to]).update(status=to, **changes)


class AgentRequest(models.Model):
    """One durable request: a message to an agent, from acceptance to its one terminal event."""

    request_id = models.UUIDField(unique=True, default=uuid.uuid4)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agent_requests")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="requests")
    agent_version = models.ForeignKey(AgentVersion, models.RESTRICT, related_name="+")
    session_id = models.CharField(max_length=255)
    message = models.TextField()
    context = models.TextField(blank=True)
    user = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict)
    limits = models.JSONField(default=dict)
    created_by = models.CharField(max_length=200)

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    wait_reason = models.CharField(max_length=20, blank=True)
    cancel_reason = models.CharField(max_length=20, blank=True, help_text="Set to ask the worker to stop.")
    error = models.JSONField(null=True, help_text="What `request.error` said.")
    last_sequence = models.PositiveIntegerField(default=0, help_text="The head of this request's log.")

    attempt = models.PositiveIntegerField(
        default=0, help_text="Rises with every claim; an older attempt may not write."
    )
    lease_owner = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    lease_seconds = models.PositiveIntegerField(default=0)
    claimed_sequence = models.PositiveIntegerField(default=0, help_text="Head of the log at the latest claim.")
    lost_leases = models.PositiveIntegerField(default=0, help_text="Leases lost in a row without a new step.")

    trace_id = models.UUIDField(null=True)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    accepted_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    rows = AgentRequestQuerySet.as_manager()
    objects = ClosedManager()

    class Meta:
        verbose_name = "request"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "agent", "session_id"],
                condition=Q(status__in=[Status.RUNNING, Status.PAUSED]),
                name="one_active_request_per_session",
            ),
            models.CheckConstraint(
                condition=Q(status__in=TERMINAL, finished_at__isnull=False)
                | (~Q(status__in=TERMINAL) & Q(finished_at__isnull=True)),
                name="request_finished_when_terminal",
            ),
        ]
        indexes = [
            # The oldest runnable request, and the running ones of an agent or workspace
            models.Index(fields=["status", "id"], condition=Q(status__in=UNFINISHED), name="request_unfinished"),
            # The next one of a session
            models.Index(
                fields=["workspace", "agent", "session_id", "id"],
                condition=Q(status__in=UNFINISHED),
                name="request_unfinished_of_session",
            ),
            # GET /agent/{id}/requests and the admin's list
            models.Index(fields=["workspace", "agent", "-id"], name="request_by_agent"),
            models.Index(fields=["workspace", "-id"], name="request_by_workspace"),
            # What went wrong lately, in the admin
            models.Index(
                fields=["workspace", "-id"],
                condition=Q(status__in=FALLEN),
                name="request_failed",
            ),
            models.Index(fields=["workspace", "session_id", "-id"], name="request_by_session"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.request_id)

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def duration_s(self) -> float | None:
        """Seconds from acceptance to the end; None while unfinished."""
        return (self.finished_at - self.accepted_at).total_seconds() if self.finished_at else None


class RuntimeEvent(models.Model):
    """One line of the log. Written only by `runtime.events.append`; never changed."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="events")
    agent_request = models.ForeignKey(AgentRequest, models.CASCADE, related_name="events")
    sequence = models.PositiveIntegerField()
    agent_name = models.CharField(max_length=200, help_text="The agent's id in URLs and logs.")
    session_id = models.CharField(max_length=255)
    trace_id = models.UUIDField(null=True)
    event_type = models.CharField(max_length=60)
    loop_index = models.PositiveIntegerField(null=True)
    step_key = models.CharField(max_length=200, blank=True)
    dedupe_key = models.CharField(max_length=200, null=True)  # noqa: DJ001  null: the event may repeat
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    rows = models.Manager["RuntimeEvent"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["id"]
        verbose_name = "event"
        constraints = [
            models.UniqueConstraint(fields=["agent_request", "sequence"], name="event_sequence_unique"),
            models.UniqueConstraint(
                fields=["agent_request", "dedupe_key"],
                condition=Q(dedupe_key__isnull=False),
                name="event_dedupe_unique",
            ),
        ]
        indexes = [
            # The session's stream
            models.Index(fields=["workspace", "session_id", "id"], name="event_by_session"),
            # The workspace's newest events
            models.Index(fields=["workspace", "-id"], name="event_by_workspace"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.sequence} {self.event_type}"

    @property
    def event_id(self) -> int:
        return self.id


class IdempotencyKey(models.Model):
    """A caller's key for one submission; it commits together with the request that it stands for."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="idempotency_keys")
    principal = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of agent and body.")
    agent_request = models.ForeignKey(AgentRequest, models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    rows = models.Manager["IdempotencyKey"]()
    objects = ClosedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "principal", "key"], name="idempotency_key_unique"),
        ]
        # Keys older than a day are swept
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_by_age")]

    @override
    def __str__(self) -> str:
        return self.key
