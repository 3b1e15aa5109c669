"""How a developer defines an agent in Python (contract 5.2, 5.3, 5.13)."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.llm.types import LLMProvider
from agents.mcp.config import MCPServerConfig
from agents.skills.registry import SkillRegistry
from agents.tools.registry import ToolRegistry

SystemPrompt = str | list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """The limits and habits of one agent; a value that makes no sense is a `ValueError`."""

    app_id: str
    system_prompt: SystemPrompt
    max_steps: int = 30
    max_tokens: int = 4096
    """Per model call."""
    temperature: float = 1.0
    skills_enabled: bool = False
    prompt_caching_enabled: bool = True
    conversation_history_turns: int = 3
    compaction_token_threshold: int = 0
    """0 switches automatic compaction off."""
    compaction_turn_limit: int = 50
    compaction_temperature: float = 0.0
    subagents: Sequence[str] | None = None
    """Who this agent may hand work to; None: the primary agent to every subagent, a subagent to nobody."""
    max_delegation_depth: int = 1
    max_fan_out: int = 8
    requires_approval: Sequence[str] = ()
    """Names of tools that a person must approve before each call; `*` means all."""
    max_cost_usd: float | None = None
    deadline_s: int | None = None
    max_concurrent_requests: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("app_id", "system_prompt"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty.")
        for name in ("max_steps", "max_tokens", "compaction_turn_limit"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than 0.")
        for name in ("conversation_history_turns", "compaction_token_threshold"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubAgentMetadata:
    """What the primary agent is told about a subagent; every field is required."""

    display_name: str
    description: str
    capabilities: Sequence[str]
    usage_guidance: str

    def __post_init__(self) -> None:
        for name in ("display_name", "description", "usage_guidance"):
            if not str(getattr(self, name)).strip():
                raise ValueError(f"{name} must not be blank.")
        if not self.capabilities or not all(str(item).strip() for item in self.capabilities):
            raise ValueError("capabilities must name at least one, and none blank.")


class AgentSpec(ABC):
    """One agent defined in code. Its tools and provider are built anew for every request."""

    @abstractmethod
    def get_agent_id(self) -> str:
        """Must equal `build_agent_config().app_id`."""

    @abstractmethod
    def build_tools(self) -> ToolRegistry: ...

    def build_skills(self) -> SkillRegistry:
        """Offered to the model when `skills_enabled` is set in the config."""
        return SkillRegistry()

    def enable_runtime_tools(self) -> bool:
        """Whether the agent gets `search_conversations` and `get_full_turn_message` without naming them."""
        return True

    @abstractmethod
    def build_llm(self) -> LLMProvider: ...

    @abstractmethod
    def build_agent_config(self) -> AgentConfig: ...

    def build_mcp_servers(self) -> list[MCPServerConfig]:
        """Servers whose tools the agent gets besides its own."""
        return []
