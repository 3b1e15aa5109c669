"""The agent that a new workspace begins with, so that the first message has somebody to answer it."""

import os

from django.utils import timezone

from agents.definition import AgentDefinition
from agents.models import Agent
from agents.tools.basics import basic_tools
from agents.versions import save_version
from workspaces.models import Workspace

STARTER_ID = "assistant"
_PROMPT = """You are a helpful assistant. Answer briefly and plainly.
Use `current_time` when a question depends on the date or time, and `calculate` for arithmetic."""


def starter_provider() -> str:
    """The provider whose key the environment holds; without one, the offline demo."""
    for kind, variable in (("anthropic", "ANTHROPIC_API_KEY"), ("openai", "OPENAI_API_KEY")):
        if os.environ.get(variable, "").strip():
            return kind
    return "demo"


def offer_starter_agent(workspace: Workspace) -> Agent:
    """The workspace's starter agent, made on first use; a later key in the environment takes it off the demo provider."""
    agent = workspace.agents.filter(agent_id=STARTER_ID).first()
    if agent is None:
        has_primary = workspace.agents.filter(role=Agent.Role.PRIMARY).exists()
        agent = workspace.agents.create(
            agent_id=STARTER_ID,
            role=Agent.Role.SUBAGENT if has_primary else Agent.Role.PRIMARY,
            created_at=timezone.now(),
        )
        save_version(agent, _definition(), actor="command:mash_run", note="Starter agent")
    elif agent.definition.provider == "demo" and starter_provider() != "demo":
        changed = agent.definition.model_copy(update={"provider": starter_provider(), "model": ""})
        save_version(agent, changed, actor="command:mash_run", note="A provider key was found")
    return agent


def _definition() -> AgentDefinition:
    return AgentDefinition(
        display_name="Assistant",
        description="Answers questions; knows the time and can calculate.",
        provider=starter_provider(),
        system_prompt=_PROMPT,
        tools=tuple(tool.name for tool in basic_tools()),
    )
