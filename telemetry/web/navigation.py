"""The screens of a workspace, as its navigation lists them."""

from dataclasses import dataclass

from workspaces.roles import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: str
    """Of its route in `telemetry.web.urls`, and of the screen that it leads to."""
    title: str
    icon: str
    scope: Scope
    key: str = ""
    """`g` and then this key goes there."""

    @property
    def route(self) -> str:
        return f"web:{self.name}"


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    places: tuple[Place, ...]


GROUPS = (
    Group(
        "Activity",
        (
            Place(name="overview", title="Overview", icon="overview", scope=Scope.TELEMETRY_READ, key="o"),
            Place(name="requests", title="Requests", icon="requests", scope=Scope.SESSIONS_READ, key="r"),
            Place(name="sessions", title="Sessions", icon="sessions", scope=Scope.SESSIONS_READ, key="s"),
            Place(name="inbox", title="Inbox", icon="inbox", scope=Scope.SESSIONS_READ, key="i"),
            Place(name="memory", title="Memory", icon="memory", scope=Scope.SESSIONS_READ, key="m"),
            Place(name="signals", title="Signals", icon="signals", scope=Scope.TELEMETRY_READ, key="n"),
            Place(name="api-log", title="API log", icon="api-log", scope=Scope.TELEMETRY_READ, key="l"),
            Place(name="usage", title="Usage", icon="usage", scope=Scope.USAGE_READ, key="u"),
        ),
    ),
    Group(
        "Deployment",
        (
            Place(name="chat", title="Chat", icon="chat", scope=Scope.AGENTS_RUN, key="c"),
            Place(name="agents", title="Agents", icon="agents", scope=Scope.AGENTS_READ, key="a"),
            Place(name="workflows", title="Workflows", icon="workflows", scope=Scope.AGENTS_READ, key="w"),
            Place(name="evals", title="Evals", icon="evals", scope=Scope.AGENTS_READ, key="e"),
            Place(name="settings", title="Settings", icon="settings", scope=Scope.AGENTS_READ, key="t"),
        ),
    ),
)
