"""The definition of an agent as data: what the admin edits, a version freezes and a YAML file carries."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class AgentDefinition(BaseModel):
    """Everything that decides how an agent behaves. Field names are those of `AgentConfig` (contract 5.3) and ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    display_name: Text = Field("", max_length=100)
    description: Text = Field("", max_length=1000)
    capabilities: tuple[Text, ...] = ()
    usage_guidance: Text = Field("", max_length=2000)
    provider: Text = Field("demo", max_length=50, description="A kind of agents.llm, or a code-defined agent's own.")
    model: Text = Field("", max_length=200, description="Empty: the provider's default.")
    credential: Text = Field("", max_length=100, description="Name of a credential; empty: the environment's key.")
    system_prompt: str | list[dict[str, Any]] = "You are a helpful assistant."
    tools: tuple[Text, ...] = ()
    max_steps: int = Field(30, gt=0, le=1000)
    max_tokens: int = Field(4096, gt=0, le=1_000_000)
    temperature: float = Field(1.0, ge=0, le=2)
    memory_tools: bool = Field(False, description="Whether it may search and read its earlier conversations.")
    skills_enabled: bool = False
    prompt_caching_enabled: bool = True
    conversation_history_turns: int = Field(3, ge=0, le=1000)
    compaction_token_threshold: int = Field(0, ge=0)
    compaction_turn_limit: int = Field(50, gt=0)
    compaction_temperature: float = Field(0.0, ge=0, le=2)
    skills: tuple[Text, ...] = Field((), description="Names of the workspace's skills. Empty: all, if skills are on.")
    mcp_servers: tuple[Text, ...] = Field((), description="Names of the workspace's MCP servers.")
    subagents: tuple[Text, ...] | None = Field(
        None, description="Who it may hand work to. None: the primary agent to every subagent, a subagent to nobody."
    )
    max_delegation_depth: int = Field(1, ge=0, le=5, description="How many levels of delegation may lie above a call.")
    max_fan_out: int = Field(8, gt=0, le=64, description="Delegations that one step may make.")
    requires_approval: tuple[Text, ...] = Field((), description="Tools that a person must approve; * means all.")
    fallback_provider: Text = Field("", max_length=50, description="Asked when the first provider is down.")
    fallback_model: Text = Field("", max_length=200)
    fallback_credential: Text = Field("", max_length=100)
    max_cost_usd: float | None = Field(None, gt=0, description="What one request may cost. Empty: no limit.")
    deadline_s: int | None = Field(None, gt=0, le=86_400, description="Seconds a request may take. Empty: no limit.")
    max_concurrent_requests: int | None = Field(None, gt=0, description="Requests that run at once. Empty: no limit.")
    model_timeout_s: int = Field(120, gt=0, le=3600, description="Seconds to wait for one answer of the model.")
    model_attempts: int = Field(4, gt=0, le=10, description="Calls per answer, when the provider fails for a moment.")
