"""The servers of a workspace, and the tools that they were seen to offer."""

import json
from collections.abc import Mapping

from django.core.validators import MinValueValidator
from django.db import models
from typing_extensions import override

from agents.mcp.config import MCPServerConfig
from workspaces import encryption
from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class McpServer(models.Model):
    """A server that agents of the workspace may use; one that code defines has a row too, for its pinned tools."""

    class Transport(models.TextChoices):
        HTTP = "http", "Streamable HTTP"
        STDIO = "stdio", "Process on the worker (stdio)"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="mcp_servers")
    agent_id = models.CharField(max_length=200, blank=True, editable=False)
    """The agent in whose code the server stands; empty for the workspace's own."""
    name = models.CharField(max_length=100)
    transport = models.CharField(max_length=10, choices=Transport.choices, default=Transport.HTTP)
    url = models.CharField(max_length=1000, blank=True, verbose_name="URL")
    command = models.CharField(max_length=500, blank=True)
    args = models.JSONField(default=list, blank=True)
    description = models.TextField(max_length=1000, blank=True)
    encrypted_secrets = models.TextField(blank=True, editable=False)
    allowed_tools = models.JSONField(null=True, blank=True)
    timeout_s = models.PositiveIntegerField(default=60, validators=[MinValueValidator(1)], verbose_name="timeout")
    is_enabled = models.BooleanField(default=True)
    new_tools_need_approval = models.BooleanField(default=False)
    allow_sampling = models.BooleanField(default=False)
    allow_elicitation = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    rows = models.Manager["McpServer"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["name"]
        verbose_name = "MCP server"
        constraints = [models.UniqueConstraint(fields=["workspace", "agent_id", "name"], name="mcp_server_unique")]

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def headers(self) -> dict[str, str]:
        return self._secrets()["headers"]

    @property
    def env(self) -> dict[str, str]:
        return self._secrets()["env"]

    def keep_secrets(self, *, headers: Mapping[str, str], env: Mapping[str, str]) -> None:
        """Sets, not saves: headers and environment are encrypted together."""
        secrets = {"headers": dict(headers), "env": dict(env)}
        self.encrypted_secrets = encryption.encrypt(json.dumps(secrets)) if headers or env else ""

    @property
    def config(self) -> MCPServerConfig:
        is_http = self.transport == self.Transport.HTTP
        return MCPServerConfig(
            name=self.name,
            url=self.url if is_http else "",
            description=self.description,
            headers=self.headers if is_http else {},
            allowed_tools=self.allowed_tools,
            command="" if is_http else self.command,
            args=() if is_http else tuple(self.args),
            env={} if is_http else self.env,
            timeout_s=self.timeout_s,
            allow_sampling=self.allow_sampling,
            allow_elicitation=self.allow_elicitation,
        )

    def _secrets(self) -> dict[str, dict[str, str]]:
        if not self.encrypted_secrets:
            return {"headers": {}, "env": {}}
        secrets: dict[str, dict[str, str]] = json.loads(encryption.decrypt(self.encrypted_secrets))
        return secrets


class McpPin(models.Model):
    """A server's tool as it was when it was first seen or last approved. What differs from it is not offered."""

    server = models.ForeignKey(McpServer, models.CASCADE, related_name="pins")
    name = models.CharField(max_length=200)
    definition = models.JSONField()
    """Description, input schema and hints."""
    digest = models.CharField(max_length=64)
    is_approved = models.BooleanField()
    """False for a tool that appeared later on a server whose new tools need approval."""
    proposed = models.JSONField(null=True)
    """The definition that the server gives now, when it differs."""
    proposed_digest = models.CharField(max_length=64, blank=True)
    first_seen_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=200, blank=True)

    rows = models.Manager["McpPin"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="mcp_pin_unique")]

    @override
    def __str__(self) -> str:
        return self.name

    @property
    def awaits_approval(self) -> bool:
        return not self.is_approved or bool(self.proposed_digest)
