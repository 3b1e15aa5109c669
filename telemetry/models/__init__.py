"""What this room keeps of its own."""

from telemetry.models.api_event import ApiEvent

__all__ = ["ApiEvent"]
