"""The ground floor's nouns: people, workspaces, who belongs to which, API tokens, and the audit trail."""

import secrets
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from typing_extensions import override

from workspaces.roles import ROLE_SCOPES, Role, Scope
from workspaces.scoping import ClosedManager


class User(AbstractUser):
    """A person. What they may do is said by their memberships; `is_superuser` operates the whole deployment."""

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="user_email_unique",
                violation_error_message="There is an account with this e-mail address.",
            ),
        ]

    @property
    def workspaces(self) -> "models.QuerySet[Workspace]":
        """The workspaces that this person may enter; a superuser enters all."""
        if self.is_superuser:
            return Workspace.objects.all()
        return Workspace.objects.filter(memberships__user=self)

    def scopes_in(self, workspace: "Workspace") -> frozenset[Scope]:
        """What this person may do in the workspace: nothing for a stranger, everything for a superuser."""
        if self.is_superuser:
            return frozenset(Scope)
        return ROLE_SCOPES.get(self.role_in(workspace), frozenset())

    def role_in(self, workspace: "Workspace") -> str:
        """Empty for a stranger; a superuser is as an owner."""
        if self.is_superuser:
            return Role.OWNER
        membership = workspace.memberships.filter(user=self).first()
        return membership.role if membership else ""


def new_host_id() -> str:
    """`h_` and 12 URL-safe characters of 9 random bytes (contract 1.2), drawn once per workspace."""
    return f"h_{secrets.token_urlsafe(9)}"


class Workspace(models.Model):
    """The tenant: everything that a team owns hangs from here."""

    slug = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*\Z", "Use lower-case letters, digits and single hyphens.")],
        help_text="The workspace's name in URLs and commands: lower-case letters, digits and hyphens.",
    )
    name = models.CharField(max_length=100)
    host_id = models.CharField(max_length=20, unique=True, default=new_host_id, editable=False)
    max_concurrent_requests = models.PositiveIntegerField(
        null=True, blank=True, help_text="Requests that run at the same time in this workspace. Empty: no limit."
    )
    max_queued_requests = models.PositiveIntegerField(
        default=10_000, help_text="Unfinished requests; above this number new ones are refused with 429."
    )
    max_attachment_megabytes = models.PositiveIntegerField(
        default=1024, help_text="Images and PDFs of messages that are kept; what would be more is refused."
    )
    tools_requiring_approval = models.JSONField(
        default=list, blank=True, help_text="Names of tools that a person must approve in every agent; * means all."
    )
    api_log_enabled = models.BooleanField(
        "log API calls", default=True, help_text="Who called what, when, how long it took and how it was answered."
    )
    api_log_bodies = models.BooleanField(
        "with bodies",
        default=False,
        help_text="Also the first kilobytes of what was sent and answered, secrets taken out.",
    )
    api_log_days = models.PositiveSmallIntegerField(
        "keep API calls for", default=30, validators=[MinValueValidator(1)], help_text="Days."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["slug"]

    @override
    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.DEVELOPER)
    created_at = models.DateTimeField()

    rows = models.Manager["Membership"]()
    objects = ClosedManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_unique")]
        verbose_name = "member"

    @override
    def __str__(self) -> str:
        return f"{self.user} in {self.workspace} ({self.role})"


class Invitation(models.Model):
    """A link that lets one person in, once. Only its SHA-256 is kept; the link itself is shown once."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices)
    email = models.EmailField(blank=True, help_text="Whom it is meant for; whoever holds the link may use it.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    rows = models.Manager["Invitation"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["-id"]

    @override
    def __str__(self) -> str:
        return f"{self.email or 'somebody'} as {self.role}"


class ApiToken(models.Model):
    """A program's key to one workspace. Only its SHA-256 is kept; the token itself is shown once."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, editable=False, help_text="The first characters, to recognise it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list, help_text="What the token may do.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    rows = models.Manager["ApiToken"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "API token"

    @override
    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class AuditEntry(models.Model):
    """One change of members, tokens, credentials or agents: who did what, when. Never updated."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="audit_entries")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200, help_text="A user name, `token:<prefix>` or `command:<name>`.")
    action = models.CharField(max_length=50)
    target = models.CharField(max_length=200)
    details = models.JSONField(default=dict)

    rows = models.Manager["AuditEntry"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["workspace", "-id"], name="audit_by_workspace")]
        verbose_name_plural = "audit entries"

    @override
    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.target}"
