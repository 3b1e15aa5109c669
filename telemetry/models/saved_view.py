"""Filters of a list that somebody has given a name."""

from django.db import models
from typing_extensions import override

from workspaces.models import User, Workspace
from workspaces.scoping import ClosedManager


class SavedView(models.Model):
    """Parameters of the list of requests, kept by one person, for all members if it is shared."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    slug = models.SlugField(max_length=60, allow_unicode=True)
    name = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    is_shared = models.BooleanField(default=False)

    rows = models.Manager["SavedView"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(fields=["workspace", "slug"], name="saved_view_unique")]

    @override
    def __str__(self) -> str:
        return self.name
