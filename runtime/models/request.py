"""Durable requests, and the keys that keep a submission from becoming two of them."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from typing_extensions import override

from agents.models import Agent, AgentVersion
from runtime import among  # noqa: F401  registers the lookup
from runtime.kinds import FALLEN, LEGAL_MOVES, QUEUED, TERMINAL, UNFINISHED, PauseReason, Reason, RequestKind, Status
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

    def with_relatives(self) -> "AgentRequestQuerySet":
        """With what `public.request_row` shows."""
        return self.with_agent().select_related("parent", "rerun_of")

    def move(self, to: Status, **changes: Any) -> int:
        """Changes the status of these rows where that is legal, and returns how many changed."""
        return self.filter(status__in=LEGAL_MOVES[to]).update(status=to, **changes)


class AgentRequest(models.Model):
    """One durable request: a message to an agent, from acceptance to its one terminal event."""

    request_id = models.UUIDField(unique=True, default=uuid.uuid4)
    # Without an index of its own, which others begin with: PostgreSQL would read a whole workspace by it for one day's rows.
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agent_requests", db_index=False)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="requests")
    agent_version = models.ForeignKey(AgentVersion, models.RESTRICT, related_name="+")
    session_id = models.CharField(max_length=255)
    message = models.TextField()
    context = models.TextField(blank=True)
    user = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict)
    limits = models.JSONField(default=dict)
    attachments = models.JSONField(default=list, help_text="What came with the message: ids, names, types, sizes.")
    structured_output = models.JSONField(null=True, help_text="JSON Schema that the answer must satisfy.")
    created_by = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=RequestKind.choices, default=RequestKind.TURN)
    dedup_key = models.CharField(
        max_length=200, blank=True, help_text="Of unfinished requests of an agent one may have it."
    )
    rerun_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="reruns")

    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    parent_call = models.CharField(max_length=200, blank=True, help_text="`{loop}.{tool call id}` of the parent.")
    depth = models.PositiveSmallIntegerField(default=0, help_text="Delegations above this request.")
    invoke_options = models.JSONField(null=True, help_text="`opts` of the delegation.")

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    wait_reason = models.CharField(max_length=20, blank=True)
    cancel_reason = models.CharField(max_length=20, blank=True, help_text="Set to ask the worker to stop.")
    cancelled_by = models.CharField(max_length=200, blank=True)
    pause_reason = models.CharField(max_length=12, choices=PauseReason.choices, blank=True)
    is_due = models.BooleanField(default=False, help_text="Something that a paused request waits for has happened.")
    wakes_at = models.DateTimeField(null=True, help_text="When a paused request goes on in any case.")
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

    run = models.PositiveIntegerField(default=1, help_text="Rises with every resume after an end.")
    run_began_at = models.DateTimeField(
        default=timezone.now, help_text="Acceptance or the latest resume; deadlines count from here."
    )

    trace_id = models.UUIDField(null=True)
    steps = models.PositiveIntegerField(default=0)
    tool_calls = models.PositiveIntegerField(default=0)
    tool_errors = models.PositiveIntegerField(default=0)
    model = models.CharField(max_length=200, blank=True, help_text="The model that answered last.")
    answer_preview = models.CharField(max_length=200, blank=True, help_text="How the answer begins.")
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    model_calls = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(
        max_digits=18, decimal_places=9, default=0, help_text="Of the calls with a known price."
    )
    has_unknown_price = models.BooleanField(default=False)
    accepted_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True, help_text="When its content was erased, in row and log.")

    rows = AgentRequestQuerySet.as_manager()
    objects = ClosedManager()

    # Of this process's claim, not of the row: the worker before left it running, killed or told to stop.
    was_lost: bool = False

    class Meta:
        verbose_name = "request"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "agent", "session_id"],
                condition=Q(status__in=[Status.RUNNING, Status.PAUSED]),
                name="one_active_request_per_session",
            ),
            models.UniqueConstraint(
                fields=["parent", "parent_call"], condition=Q(parent__isnull=False), name="one_child_per_call"
            ),
            models.UniqueConstraint(
                fields=["workspace", "agent", "dedup_key"],
                condition=Q(status__in=UNFINISHED) & ~Q(dedup_key=""),
                name="one_unfinished_request_per_dedup_key",
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
            # How many run, wait and are stalled in a workspace
            models.Index(
                fields=["workspace", "status"], condition=Q(status__in=UNFINISHED), name="request_unfinished_count"
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
            # What went wrong in a span of time
            models.Index(
                fields=["workspace", "accepted_at"], condition=Q(status__in=FALLEN), name="request_failed_by_time"
            ),
            models.Index(fields=["workspace", "session_id", "-id"], name="request_by_session"),
            # Usage by session
            models.Index(fields=["workspace", "accepted_at"], name="request_by_time"),
            # A request by its trace
            models.Index(fields=["workspace", "trace_id"], name="request_by_trace"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.request_id)

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    @property
    def shown_status(self) -> str:
        """The status for people: without a word from its worker since the lease ended it is stalled; told to end, stopping."""
        if self.status == Status.RUNNING and self.lease_expires_at and self.lease_expires_at < timezone.now():
            return "stalled"
        return "stopping" if self.cancel_reason and not self.is_terminal else self.status

    @property
    def status_hint(self) -> str:
        """Why it stands where it does, in the words of the closed sets."""
        return (self.reason or self.wait_reason or self.pause_reason).replace("_", " ")

    @property
    def elapsed_s(self) -> float:
        """Seconds from acceptance to the end, or until now."""
        return ((self.finished_at or timezone.now()) - self.accepted_at).total_seconds()

    @property
    def duration_s(self) -> float | None:
        """Seconds from acceptance to the end; None while unfinished."""
        return (self.finished_at - self.accepted_at).total_seconds() if self.finished_at else None


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
