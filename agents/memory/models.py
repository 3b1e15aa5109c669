"""What agents remember: sessions and their turns.

Memory may live in another database than the runtime, so nothing joins these tables with others, no constraint ties them to
the workspace, and Django's cascade does not reach them: `agents.memory.erase` deletes them with their workspace.
"""

from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models import F
from typing_extensions import override

from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class Session(models.Model):
    """One conversation with one agent; it exists once a turn is stored."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="sessions", db_constraint=False)
    agent_id = models.CharField(max_length=200)
    session_id = models.CharField(max_length=255)
    total_tokens = models.BigIntegerField(default=0)
    turn_count = models.PositiveIntegerField(default=0)
    last_activity_at = models.DateTimeField()
    checkpoint = models.ForeignKey(
        "Turn",
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        help_text="The latest summary: earlier turns are no longer shown to the model.",
    )

    rows = models.Manager["Session"]()
    objects = ClosedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "agent_id", "session_id"], name="session_unique"),
        ]
        indexes = [
            # GET /agent/{id}/sessions
            models.Index(
                fields=["workspace", "agent_id", "-last_activity_at", "session_id"], name="session_by_activity"
            ),
            # The workspace's newest sessions, page by page
            models.Index(fields=["workspace", "-last_activity_at", "-id"], name="session_by_workspace"),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.agent_id}/{self.session_id}"


class Turn(models.Model):
    """One stored exchange. `turn_id` is the request's trace id, so that saving it twice stores it once."""

    turn_id = models.UUIDField(unique=True)
    session = models.ForeignKey(Session, models.CASCADE, related_name="turns")
    workspace = models.ForeignKey(
        Workspace, models.DO_NOTHING, related_name="turns", db_constraint=False, db_index=False
    )
    user = models.CharField(max_length=255, blank=True, help_text="The end user of the request, if it named one.")
    user_message = models.TextField()
    agent_response = models.TextField()
    signals = models.JSONField(default=dict)
    session_total_tokens = models.BigIntegerField()
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    rows = models.Manager["Turn"]()
    objects = ClosedManager()

    class Meta:
        indexes = [
            # The newest turns of a session, for its context and history
            models.Index(fields=["session", "-id"], name="turn_by_session"),
            # The signals of a workspace's newest turns
            models.Index(fields=["workspace", "-created_at", "-id"], name="turn_by_time"),
        ]

    @override
    def __str__(self) -> str:
        return str(self.turn_id)

    @property
    def is_checkpoint(self) -> bool:
        return bool(self.metadata.get("type") == "summary_checkpoint")

    def as_json(self) -> dict[str, Any]:
        """The shape of contract 2.2.6."""
        return {
            "turn_id": str(self.turn_id),
            "user_message": self.user_message,
            "agent_response": self.agent_response,
            "session_total_tokens": self.session_total_tokens,
            "signals": self.signals,
            "metadata": self.metadata,
            "created_at": self.created_at.timestamp(),
        }


def turns_of(workspace: Workspace, keys: Collection[int]) -> "models.QuerySet[Turn]":
    """These turns, as far as they are the workspace's.

    Found by their keys alone: SQLite without fresh statistics would go through all turns of the workspace.
    """
    return Turn.rows.alias(owner=F("workspace_id") + 0).filter(pk__in=keys, owner=workspace.pk)


class SearchEntry(models.Model):
    """A turn's words, as `agents.memory.terms` makes them. The full text indexes over it are in migration 0002."""

    turn = models.OneToOneField(Turn, models.CASCADE, primary_key=True, related_name="search_entry")
    workspace = models.ForeignKey(
        Workspace, models.DO_NOTHING, related_name="search_entries", db_constraint=False, db_index=False
    )
    scopes = models.TextField(help_text="Words of their own kind: the turn's agent, session and user.")
    user_terms = models.TextField()
    agent_terms = models.TextField()

    rows = models.Manager["SearchEntry"]()
    objects = ClosedManager()

    @override
    def __str__(self) -> str:
        return str(self.turn_id)
