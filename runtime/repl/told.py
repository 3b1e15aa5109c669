"""Reads an event as what it tells of a request, be it the one that is watched or one that it has delegated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from runtime.client import RequestEvent
from runtime.repl.thought import mapping, text

_MIRROR = "subagent."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    name: str
    data: Mapping[str, Any]
    subagent_id: str = ""
    """Whose event it is, if it was told by way of the parent's log."""

    @classmethod
    def read(cls, event: RequestEvent) -> Self:
        """A mirrored event's keys may lie one level deeper (contract 3.4)."""
        kind = text(event.data.get("event_type"))
        if event.name != "agent.trace" or not kind.startswith(_MIRROR):
            return cls(name=event.name, data=event.data)
        payload = mapping(event.data.get("payload"))
        mirrored = payload if "agent_id" in payload else mapping(payload.get("payload"))
        subagent_id = text(mirrored.get("agent_id")) or "subagent"
        return cls(name=kind.removeprefix(_MIRROR), data=mapping(mirrored.get("data")), subagent_id=subagent_id)
