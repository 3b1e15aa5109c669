"""What this room keeps of its own."""

from telemetry.models.api_event import ApiEvent
from telemetry.models.saved_view import SavedView

__all__ = ["ApiEvent", "SavedView"]
