"""`subagent.*`: what a child's log says, told in its parent's (contract 3.6). Stored as references, expanded when read."""

from collections.abc import Iterable
from typing import Any

from runtime.kinds import PUBLIC_NAMES, EventKind
from runtime.models import AgentRequest, RuntimeEvent
from workspaces.models import Workspace

MIRROR_PREFIX = "subagent."
_COLUMNS = (
    *(field.name for field in RuntimeEvent._meta.fields if field.name != "dedupe_key"),
    *(f"agent_request__{name}" for name in ("request_id", "session_id", "agent__agent_id")),
)


def mirror_kind(event: RuntimeEvent) -> EventKind:
    return EventKind(MIRROR_PREFIX + PUBLIC_NAMES.get(event.event_type, "agent.trace"))


def mirror_reference(event: RuntimeEvent, child: AgentRequest, parent: AgentRequest) -> dict[str, Any]:
    """What is stored: who and where, and the number of the child's event instead of its content."""
    return {
        "agent_id": child.agent.agent_id,
        "primary_session_id": parent.session_id,
        "subagent_session_id": child.session_id,
        "request_id": str(child.request_id),
        "event": PUBLIC_NAMES.get(event.event_type, "agent.trace"),
        "child_event_id": event.event_id,
    }


def fetch_mirrored(workspace: Workspace, events: Iterable[RuntimeEvent]) -> None:
    """Gives the page's `subagent.*` events the events that they refer to, in one query if there are any."""
    mirrors = [event for event in events if event.event_type.startswith(MIRROR_PREFIX) and event.mirrored is None]
    if not mirrors:
        return
    ids = [mirror.payload["child_event_id"] for mirror in mirrors if "child_event_id" in mirror.payload]
    found = workspace.events.filter(pk__in=ids).select_related("agent_request__agent").only(*_COLUMNS).in_bulk()
    for mirror in mirrors:
        mirror.mirrored = found.get(mirror.payload.get("child_event_id"))
