"""The nouns of this room: agents with their immutable versions, provider credentials, and what agents remember."""

from functools import cached_property

from django.db import models
from typing_extensions import override

from agents.definition import AgentDefinition
from agents.mcp.models import McpPin, McpServer
from agents.memory.models import SearchEntry, Session, Turn
from agents.workspace_skills import WorkspaceSkill, WorkspaceSkillVersion
from workspaces import encryption
from workspaces.models import User, Workspace
from workspaces.scoping import ClosedManager

__all__ = [
    "Agent",
    "AgentVersion",
    "McpPin",
    "McpServer",
    "ProviderCredential",
    "SearchEntry",
    "Session",
    "Turn",
    "WorkspaceSkill",
    "WorkspaceSkillVersion",
]


class ProviderCredential(models.Model):
    """A workspace's key to a model provider, with the URL that it belongs to."""

    class Kind(models.TextChoices):
        ANTHROPIC = "anthropic", "Anthropic"
        OPENAI = "openai", "OpenAI"
        OPENAI_CHAT = "openai_chat", "OpenAI-compatible"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    base_url = models.URLField(blank=True, help_text="Empty: the vendor's own address.")
    encrypted_key = models.TextField(editable=False)
    created_at = models.DateTimeField()

    rows = models.Manager["ProviderCredential"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="credential_name_unique")]

    @override
    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"

    @property
    def api_key(self) -> str:
        return encryption.decrypt(self.encrypted_key)


class AgentQuerySet(models.QuerySet["Agent"]):
    def offered(self) -> "AgentQuerySet":
        """Those that take requests."""
        return self.listed().filter(is_enabled=True, is_gone=False)

    def listed(self) -> "AgentQuerySet":
        """Those that people may see and choose."""
        return self.exclude(role__in=Agent.HIDDEN)


class Agent(models.Model):
    """One agent of a workspace; what it does is said by its current version."""

    class Source(models.TextChoices):
        DATABASE = "database", "Admin"
        CODE = "code", "Code"

    class Role(models.TextChoices):
        PRIMARY = "primary", "Primary"
        SUBAGENT = "subagent", "Subagent"
        WORKER = "worker", "Workflow worker"
        WORKFLOW = "workflow", "Workflow"

    HIDDEN = (Role.WORKER, Role.WORKFLOW)
    """They serve workflows, or stand for one (contract 7.6)."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agents")
    agent_id = models.CharField(max_length=200, help_text="The agent's name in URLs and logs.")
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.DATABASE, editable=False)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.SUBAGENT)
    is_enabled = models.BooleanField(
        default=True, help_text="A disabled agent keeps its history and takes no requests."
    )
    is_gone = models.BooleanField(
        default=False, editable=False, help_text="It comes from code that is not part of this deployment just now."
    )
    position = models.PositiveIntegerField(default=0, help_text="Order in listings.")
    overrides = models.JSONField(default=dict, help_text="What this workspace changes of a code-defined agent.")
    current_version = models.ForeignKey(
        "AgentVersion", models.RESTRICT, null=True, related_name="current_for", editable=False
    )
    created_at = models.DateTimeField()

    rows = AgentQuerySet.as_manager()
    objects = ClosedManager()

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "agent_id"], name="agent_id_unique"),
            models.UniqueConstraint(
                fields=["workspace"],
                condition=models.Q(role="primary"),
                name="one_primary_agent",
                violation_error_message="This workspace has a primary agent already.",
            ),
        ]

    @override
    def __str__(self) -> str:
        return self.agent_id

    @property
    def definition(self) -> AgentDefinition:
        """The current definition; an agent without a version has the defaults."""
        return self.current_version.typed_definition if self.current_version else AgentDefinition()


class AgentVersion(models.Model):
    """An agent's definition at one time. Never changed: requests point to the version that they ran with."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agent_versions")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    rows = models.Manager["AgentVersion"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["agent", "number"], name="version_number_unique")]

    @override
    def __str__(self) -> str:
        return f"{self.agent} v{self.number}"

    @cached_property
    def typed_definition(self) -> AgentDefinition:
        return AgentDefinition.model_validate(self.definition)
