"""Models behind one interface: the types to speak with them, and one adapter per vendor API."""

from agents.llm.catalogue import DEFAULT_ANTHROPIC_MODEL, DEFAULT_OPENAI_MODEL, PROVIDER_KINDS, create_provider
from agents.llm.types import (
    LLMCapabilities,
    LLMContentBlock,
    LLMMessage,
    LLMProvider,
    LLMRequest,
    LLMResponse,
    LLMTokenUsage,
    LLMToolCall,
    LLMToolDefinition,
    coerce_content_blocks,
)

__all__ = [
    "DEFAULT_ANTHROPIC_MODEL",
    "DEFAULT_OPENAI_MODEL",
    "PROVIDER_KINDS",
    "LLMCapabilities",
    "LLMContentBlock",
    "LLMMessage",
    "LLMProvider",
    "LLMRequest",
    "LLMResponse",
    "LLMTokenUsage",
    "LLMToolCall",
    "LLMToolDefinition",
    "coerce_content_blocks",
    "create_provider",
]
