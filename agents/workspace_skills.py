"""Skills that a workspace keeps in the admin; every change is a new version."""

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from typing_extensions import override

from workspaces.models import User, Workspace
from workspaces.scoping import ClosedManager

MAX_TEXT_CHARACTERS = 30_000
"""So that the text fits into one tool result, escaped as it travels."""


class WorkspaceSkill(models.Model):
    """Instructions that a workspace's agents may look up; what they say is said by the current version."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="skills")
    name = models.CharField(
        max_length=64,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*\Z", "Use small letters, digits, hyphens and underscores.")],
    )
    is_enabled = models.BooleanField(default=True)
    current_version = models.ForeignKey(
        "WorkspaceSkillVersion", models.RESTRICT, null=True, related_name="current_for", editable=False
    )
    created_at = models.DateTimeField()

    rows = models.Manager["WorkspaceSkill"]()
    objects = ClosedManager()

    class Meta:
        verbose_name = "skill"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="skill_name_unique")]

    @override
    def __str__(self) -> str:
        return self.name


class WorkspaceSkillVersion(models.Model):
    """A skill's content at one time. Never changed."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="skill_versions")
    skill = models.ForeignKey(WorkspaceSkill, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    description = models.CharField(max_length=1000)
    text = models.TextField(validators=[MaxLengthValidator(MAX_TEXT_CHARACTERS)])
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["WorkspaceSkillVersion"]()
    objects = ClosedManager()

    class Meta:
        verbose_name = "skill version"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["skill", "number"], name="skill_version_number_unique")]

    @override
    def __str__(self) -> str:
        return f"{self.skill} v{self.number}"
