"""The nouns of running: durable requests, what comes with them, the log, what a person is asked, and drafts of answers."""

from runtime.models.attachment import Attachment, AttachmentContent, AttachmentUse
from runtime.models.draft import ResponseDraft
from runtime.models.event import RuntimeEvent
from runtime.models.interaction import Interaction
from runtime.models.request import AgentRequest, AgentRequestQuerySet, IdempotencyKey

__all__ = [
    "AgentRequest",
    "AgentRequestQuerySet",
    "Attachment",
    "AttachmentContent",
    "AttachmentUse",
    "IdempotencyKey",
    "Interaction",
    "ResponseDraft",
    "RuntimeEvent",
]
