"""The append-only log."""

from django.db import models
from django.db.models import F, Q
from typing_extensions import override

from runtime.kinds import EventKind
from runtime.models.request import AgentRequest, AgentRequestQuerySet
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager

CALLS_BEGIN = [EventKind.TOOL_STARTED]


class ToolName(models.Func):
    """Of a call's payload, in the same words in index and query, which Django's own are not on SQLite."""

    template = "(%(expressions)s ->> 'tool_name')"
    output_field = models.TextField()


class RuntimeEvent(models.Model):
    """One line of the log. Written only by `runtime.events.append`; never changed."""

    id = models.BigAutoField(primary_key=True)
    # Without an index of its own, which others begin with.
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="events", db_index=False)
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

    # The child's event that a `subagent.*` event refers to, once a reader has fetched it.
    mirrored: "RuntimeEvent | None" = None

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
            # GET /telemetry/events of an agent
            models.Index(fields=["workspace", "agent_name", "id"], name="event_by_agent"),
            # The workspace's newest events
            models.Index(fields=["workspace", "-id"], name="event_by_workspace"),
            # Which requests have called a tool
            models.Index(
                F("workspace"),
                ToolName("payload"),
                F("agent_request"),
                condition=Q(event_type__in=CALLS_BEGIN),
                name="event_by_tool",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.sequence} {self.event_type}"

    @property
    def event_id(self) -> int:
        return self.id


def log_of(requests: AgentRequestQuerySet) -> "models.QuerySet[RuntimeEvent]":
    """The events of these requests, which are a workspace's already.

    Without the workspace's own key in it: SQLite would prefer that one's index and read the whole log.
    """
    return RuntimeEvent.rows.filter(agent_request__in=requests.order_by().values("pk"))
