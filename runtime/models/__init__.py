"""The nouns of running: durable requests and what comes with them, the log, questions to people, drafts, and usage."""

from runtime.models.attachment import Attachment, AttachmentContent, AttachmentUse
from runtime.models.draft import ResponseDraft
from runtime.models.event import RuntimeEvent, log_of
from runtime.models.interaction import Interaction
from runtime.models.request import AgentRequest, AgentRequestQuerySet, IdempotencyKey
from runtime.models.usage import DailyUsage, PriceOverride

__all__ = [
    "AgentRequest",
    "AgentRequestQuerySet",
    "Attachment",
    "AttachmentContent",
    "AttachmentUse",
    "DailyUsage",
    "IdempotencyKey",
    "Interaction",
    "PriceOverride",
    "ResponseDraft",
    "RuntimeEvent",
    "log_of",
]
