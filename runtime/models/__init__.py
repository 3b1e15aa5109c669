"""The nouns of running: durable requests, the log, what a person is asked, and drafts of answers."""

from runtime.models.draft import ResponseDraft
from runtime.models.event import RuntimeEvent
from runtime.models.interaction import Interaction
from runtime.models.request import AgentRequest, AgentRequestQuerySet, IdempotencyKey

__all__ = ["AgentRequest", "AgentRequestQuerySet", "IdempotencyKey", "Interaction", "ResponseDraft", "RuntimeEvent"]
