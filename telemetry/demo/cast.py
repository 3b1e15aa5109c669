"""Who works in the demo's history: agents with their versions, the people who ask them, and what models cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

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
from telemetry.demo.tools import PROPS, RememberedTool
from telemetry.demo.words import ANALYSIS, RESEARCH, SUPPORT, WRITING, Exchange
from workspaces.models import Workspace

_HAIKU = {"provider": "anthropic", "model": "claude-haiku-4-5"}
_SONNET = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
_MINI = {"provider": "openai", "model": "gpt-5-mini"}
_GPT = {"provider": "openai", "model": "gpt-5"}
_QWEN = {"provider": "openai_chat", "model": "qwen3-coder-480b"}
_LOCAL = {"provider": "openai_chat", "model": "llama-4-scout-at-home"}
_OFFLINE = "Answers offline, by the demo provider: the tools of its history are not here"
# What runs without a key. A person must approve what it calculates, which shows how that works.
OFFLINE = {
    "provider": "demo",
    "tools": ("current_time", "calculate", ASK_USER),
    "requires_approval": ("calculate",),
}
LONG_ID = "north-sea-warehouse-inventory-reconciliation-and-returns-forecast-for-the-european-region"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of an agent."""

    since: float
    """From which part of the history on: 0 is its beginning, 1 its end."""
    note: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    agent_id: str
    weight: int
    """How many of a hundred conversations begin with it."""
    exchanges: Sequence[Exchange]
    about: Mapping[str, Any]
    """What stays the same in every version."""
    editions: Sequence[Edition]
    role: Agent.Role = Agent.Role.SUBAGENT


CHARACTERS = (
    Character(
        agent_id="support",
        role=Agent.Role.PRIMARY,
        weight=60,
        exchanges=SUPPORT,
        about={
            "display_name": "Support desk",
            "description": "Answers customers of the shop, looks up their orders and pays money back.",
            "capabilities": ("orders", "refunds"),
            "usage_guidance": "First contact for everything that customers write.",
            "subagents": ("researcher", "analyst"),
            "requires_approval": ("refund_order",),
            "compaction_token_threshold": 40_000,
        },
        editions=(
            Edition(since=0, note="First version", fields=_HAIKU | {"tools": ("get_order", "search_orders", "refund_order")}),
            Edition(
                since=0.35,
                note="Asks when it is not sure, on a better model",
                fields=_SONNET | {"tools": ("get_order", "search_orders", "refund_order", ASK_USER)},
            ),
            Edition(
                since=0.7,
                note="Falls back to another vendor",
                fields=_SONNET
                | {
                    "tools": ("get_order", "search_orders", "refund_order", ASK_USER),
                    "fallback_provider": "openai",
                    "fallback_model": "gpt-5-mini",
                    "max_cost_usd": 0.5,
                },
            ),
        ),
    ),
    Character(
        agent_id="researcher",
        weight=12,
        exchanges=RESEARCH,
        about={
            "display_name": "Researcher",
            "description": "Reads the handbook and the web, and names its sources.",
            "capabilities": ("search", "summaries"),
            "usage_guidance": "When an answer must be looked up.",
        },
        editions=(
            Edition(since=0, note="First version", fields=_MINI | {"tools": ("search_docs", "fetch_page")}),
            Edition(since=0.5, note="Sharper", fields=_GPT | {"tools": ("search_docs", "fetch_page"), "temperature": 0.2}),
        ),
    ),
    Character(
        agent_id="analyst",
        weight=12,
        exchanges=ANALYSIS,
        about={
            "display_name": "Analyst",
            "description": "Asks the order book and the stock, and calculates.",
            "capabilities": ("sql", "arithmetic"),
            "usage_guidance": "When numbers are wanted.",
            "max_steps": 500,
        },
        editions=(Edition(since=0, note="First version", fields=_QWEN | {"tools": ("run_sql", "calculate")}),),
    ),
    Character(
        agent_id="writer",
        weight=12,
        exchanges=WRITING,
        about={
            "display_name": "Writer",
            "description": "Writes mails and notes.",
            "capabilities": ("texts",),
            "usage_guidance": "When a text is to be sent.",
        },
        editions=(Edition(since=0, note="First version", fields=_GPT),),
    ),
    Character(
        agent_id=LONG_ID,
        weight=4,
        exchanges=ANALYSIS,
        about={
            "display_name": "Inventory reconciliation and returns forecast for the whole of the European region",
            "description": "Keeps stock and order book together.",
            "capabilities": ("stock",),
            "usage_guidance": "At night.",
        },
        editions=(Edition(since=0, note="First version", fields=_LOCAL | {"tools": ("run_sql",)}),),
    ),
)
USERS = (
    *(f"{name}@example.com" for name in ("ada", "noor", "jonas", "mei", "ingrid", "luca", "priya", "sam", "olu", "zoe")),
    *(f"customer-{number}" for number in range(1000, 1060)),
    "",
    "ليلى@مثال.شبكة",
    "<b>bold</b>@example.com",
    f"{'a-very-long-name-' * 12}@example.com",
)


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
        (since + span, _OFFLINE, dict(OFFLINE)),
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
