"""Makes the demo's agents, with all their versions, and what one of their models costs."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from agents.build import RunnableAgent
from agents.definition import AgentDefinition
from agents.llm.types import LLMCapabilities, LLMRequest, LLMResponse
from agents.models import Agent, AgentVersion
from agents.spec import SubAgentMetadata
from agents.tools.ask_user import ASK_USER, AskUserTool
from agents.tools.base import Tool
from agents.tools.registry import ToolRegistry
from agents.tools.subagent import InvokeSubagentTool
from runtime.usage.prices import forget_overrides
from telemetry.demo.characters import CHARACTERS, OFFLINE, OFFLINE_NOTE, Character
from telemetry.demo.tools import PROPS, RememberedTool
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class RememberedModel:
    """Its name; it answers nothing any more."""

    provider: str
    model: str

    def send(self, request: LLMRequest) -> LLMResponse:
        raise NotImplementedError

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities()


@dataclass(frozen=True, slots=True)
class Player:
    """A version of an agent, ready to be played."""

    agent: Agent
    version: AgentVersion
    runnable: RunnableAgent


@dataclass(slots=True, kw_only=True)
class Cast:
    workspace: Workspace
    players: dict[str, list[Player]] = field(default_factory=dict)
    """By agent, oldest version first."""
    price_changed_at: datetime

    def player(self, agent_id: str, at: datetime) -> Player:
        """The agent as it was then."""
        known = self.players[agent_id]
        return next((player for player in reversed(known) if player.version.created_at <= at), known[0])

    def latest(self, agent_id: str) -> Player:
        return self.players[agent_id][-1]


def assemble(workspace: Workspace, *, since: datetime, now: datetime) -> Cast:
    """Makes what is not there yet: agents with their versions, and a price that changes midway."""
    span = now - since
    cast = Cast(workspace=workspace, price_changed_at=_price_change(workspace, since + span / 2))
    for character in CHARACTERS:
        agent = workspace.agents.filter(agent_id=character.agent_id).first()
        if agent is None:
            agent = _engage(workspace, character, since=since, span=span)
        versions = list(agent.versions.order_by("number"))
        cast.players[character.agent_id] = [Player(agent, version, _runnable(agent, version)) for version in versions]
    return cast


def _engage(workspace: Workspace, character: Character, *, since: datetime, span: timedelta) -> Agent:
    has_primary = workspace.agents.filter(role=Agent.Role.PRIMARY).exists()
    agent = workspace.agents.create(
        agent_id=character.agent_id,
        role=Agent.Role.SUBAGENT if has_primary else character.role,
        position=CHARACTERS.index(character),
        created_at=since,
    )
    prompt = f"You are the {character.about['display_name']} of a small shop. Answer briefly and never invent an order."
    editions = [
        *((since + span * edition.since, edition.note, dict(edition.fields)) for edition in character.editions),
        (since + span, OFFLINE_NOTE, dict(OFFLINE)),
    ]
    for number, (created_at, note, fields) in enumerate(editions, start=1):
        definition = AgentDefinition(**{"system_prompt": prompt, **character.about, **fields})
        agent.current_version = workspace.agent_versions.create(
            agent=agent, number=number, definition=definition.model_dump(mode="json"), note=note, created_at=created_at
        )
    agent.save(update_fields=["current_version"])
    return agent


def _runnable(agent: Agent, version: AgentVersion) -> RunnableAgent:
    definition = version.typed_definition
    tools = ToolRegistry(_tool(name) for name in definition.tools)
    if subagents := _subagents(definition):
        tools.register(InvokeSubagentTool(subagents))
    fallback = RememberedModel(definition.fallback_provider, definition.fallback_model)
    return RunnableAgent(
        agent_id=agent.agent_id,
        definition=definition,
        llm=RememberedModel(definition.provider, definition.model or definition.provider),
        fallback_llm=fallback if definition.fallback_provider else None,
        tools=tools,
        subagents=subagents,
        approval_policy=frozenset(definition.requires_approval),
    )


def _tool(name: str) -> Tool:
    if name == ASK_USER:
        return AskUserTool()
    return PROPS[name].tool if name in PROPS else RememberedTool(name, "")


def _subagents(definition: AgentDefinition) -> dict[str, SubAgentMetadata]:
    known = {character.agent_id: character for character in CHARACTERS}
    return {
        agent_id: SubAgentMetadata(
            **{name: known[agent_id].about[name] for name in SubAgentMetadata.__dataclass_fields__}
        )
        for agent_id in definition.subagents or ()
        if agent_id in known
    }


def _price_change(workspace: Workspace, valid_from: datetime) -> datetime:
    """Before it, calls of this model have no price, as in many a deployment."""
    price, _ = workspace.price_overrides.get_or_create(
        provider="openai_chat",
        model_pattern="qwen3*",
        defaults={"input_usd": Decimal("0.45"), "output_usd": Decimal("1.80"), "valid_from": valid_from},
    )
    forget_overrides(workspace)
    return price.valid_from
