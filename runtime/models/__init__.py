"""The nouns of running: durable requests, the log, what a person is asked, drafts of answers, and usage."""

from runtime.models.draft import ResponseDraft
from runtime.models.event import RuntimeEvent
from runtime.models.interaction import Interaction
from runtime.models.request import AgentRequest, AgentRequestQuerySet, IdempotencyKey
from runtime.models.usage import DailyUsage, PriceOverride

__all__ = [
    "AgentRequest",
    "AgentRequestQuerySet",
    "DailyUsage",
    "IdempotencyKey",
    "Interaction",
    "PriceOverride",
    "ResponseDraft",
    "RuntimeEvent",
]
