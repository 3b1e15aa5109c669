"""Who works in the demo's history, with which models, and who asks them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.models import Agent
from agents.tools.ask_user import ASK_USER
from telemetry.demo.words import ANALYSIS, RESEARCH, SUPPORT, WRITING, Exchange

_HAIKU = {"provider": "anthropic", "model": "claude-haiku-4-5"}
_SONNET = {"provider": "anthropic", "model": "claude-sonnet-4-5"}
_MINI = {"provider": "openai", "model": "gpt-5-mini"}
_GPT = {"provider": "openai", "model": "gpt-5"}
_QWEN = {"provider": "openai_chat", "model": "qwen3-coder-480b"}
_LOCAL = {"provider": "openai_chat", "model": "llama-4-scout-at-home"}
OFFLINE_NOTE = "Answers offline, by the demo provider: the tools of its history are not here"
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
            Edition(
                since=0, note="First version", fields=_HAIKU | {"tools": ("get_order", "search_orders", "refund_order")}
            ),
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
            Edition(
                since=0.5, note="Sharper", fields=_GPT | {"tools": ("search_docs", "fetch_page"), "temperature": 0.2}
            ),
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
    *(
        f"{name}@example.com"
        for name in ("ada", "noor", "jonas", "mei", "ingrid", "luca", "priya", "sam", "olu", "zoe")
    ),
    *(f"customer-{number}" for number in range(1000, 1060)),
    "",
    "ليلى@مثال.شبكة",
    "<b>bold</b>@example.com",
    f"{'a-very-long-name-' * 12}@example.com",
)
