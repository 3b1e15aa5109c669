"""What a member may do: roles, and the scopes that they and API tokens carry."""

from django.db import models


class Scope(models.TextChoices):
    AGENTS_READ = "agents:read", "See agents"
    AGENTS_RUN = "agents:run", "Send messages to agents and steer requests"
    AGENTS_WRITE = "agents:write", "Define agents"
    SESSIONS_READ = "sessions:read", "Read sessions, requests and streams"
    SESSIONS_WRITE = "sessions:write", "Change and erase sessions"
    INTERACTIONS_ANSWER = "interactions:answer", "Answer agents that wait for a person"
    TELEMETRY_READ = "telemetry:read", "Read traces and events"
    USAGE_READ = "usage:read", "Read usage and cost"
    WORKFLOWS_RUN = "workflows:run", "Start workflows"
    MEMBERS_WRITE = "members:write", "Manage members, tokens and credentials"


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    DEVELOPER = "developer", "Developer"
    OPERATOR = "operator", "Operator"
    VIEWER = "viewer", "Viewer"


_VIEWER = frozenset({Scope.AGENTS_READ, Scope.SESSIONS_READ, Scope.TELEMETRY_READ, Scope.USAGE_READ})
_OPERATOR = _VIEWER | {Scope.AGENTS_RUN, Scope.SESSIONS_WRITE, Scope.INTERACTIONS_ANSWER, Scope.WORKFLOWS_RUN}
_DEVELOPER = _OPERATOR | {Scope.AGENTS_WRITE}
_ADMIN = _DEVELOPER | {Scope.MEMBERS_WRITE}

ROLE_SCOPES: dict[str, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.DEVELOPER: _DEVELOPER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN,
}

_HEIGHTS = {role.value: height for height, role in enumerate(reversed(Role))}


def may_give(own: str, role: str) -> bool:
    """Whether who has the one role decides about who gets, keeps or loses the other: never about one above their own."""
    return Scope.MEMBERS_WRITE in ROLE_SCOPES.get(own, frozenset()) and _HEIGHTS[role] <= _HEIGHTS[own]
