"""Schedules of workflows; django-q2 holds a timer for the next time of each."""

from zoneinfo import ZoneInfo

from django.db import models
from typing_extensions import override

from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class Schedule(models.Model):
    """When a workflow runs by itself, and with which input."""

    class Kind(models.TextChoices):
        CRON = "cron", "Cron expression"
        INTERVAL = "interval", "Every so many seconds"
        ONCE = "once", "Once"

    class Overlap(models.TextChoices):
        SKIP = "skip", "Skip the new run"
        QUEUE = "queue", "Run it after the one before"
        CANCEL = "cancel", "Cancel the one before"

    class CatchUp(models.TextChoices):
        NONE = "none", "Leave out what was missed"
        LATEST = "latest", "Run the latest that was missed"
        ALL = "all", "Run everything that was missed"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="schedules")
    workflow = models.ForeignKey("workflows.Workflow", models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CRON)
    cron = models.CharField(max_length=100, blank=True, help_text="Five fields, as in `0 9 * * MON-FRI`.")
    zone = models.CharField(
        max_length=64, default="UTC", help_text="IANA time zone in which the cron expression is meant."
    )
    every_s = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds from one run to the next.")
    at = models.DateTimeField(null=True, blank=True, help_text="The one time.")
    input = models.JSONField(default=dict, blank=True)
    overlap = models.CharField(
        max_length=10,
        choices=Overlap.choices,
        default=Overlap.SKIP,
        help_text="While the run before is not finished.",
    )
    catch_up = models.CharField(
        max_length=10, choices=CatchUp.choices, default=CatchUp.LATEST, help_text="After a time without a worker."
    )
    jitter_s = models.PositiveIntegerField(
        default=0, help_text="Each run starts up to so many seconds later, so that not all start at once."
    )
    is_paused = models.BooleanField(default=False)
    began_at = models.DateTimeField(help_text="Intervals are counted from here.")
    next_at = models.DateTimeField(null=True, help_text="The next time; empty when there is none.")
    last_at = models.DateTimeField(null=True, help_text="The latest time that was due.")
    skipped = models.PositiveIntegerField(default=0, help_text="Times that were due and not run.")
    fault = models.CharField(max_length=500, blank=True, help_text="Why the latest run could not be started.")
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["Schedule"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="schedule_name_unique")]
        # Those whose timer was lost
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(is_paused=False), name="schedule_due"),
        ]

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)
