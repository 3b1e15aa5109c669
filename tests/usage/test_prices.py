"""What a call costs: the public list, a workspace's own prices, and what nobody knows (extensions 7; lesson 12)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from agents.llm.types import LLMTokenUsage
from runtime.usage.prices import price_of
from tests.admin.conftest import browser_of, make_member
from workspaces.models import Workspace
from workspaces.roles import Role

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HAIKU = "claude-haiku-4-5-20251001"


def cost(workspace: Workspace, provider: str, model: str, **usage: int | None) -> Decimal | None:
    return price_of(workspace, provider, model, LLMTokenUsage(**usage), at=NOW).cost_usd


@pytest.mark.parametrize(
    ("provider", "model", "usage", "dollars"),
    [
        ("anthropic", HAIKU, {"input_tokens": 1000, "output_tokens": 100}, "0.0015"),
        # $1 a million for input, a tenth of it when read from the cache, five quarters when written to it.
        (
            "anthropic",
            HAIKU,
            {"input_tokens": 1000, "output_tokens": 100, "cache_read_tokens": 500, "cache_write_tokens": 300},
            "0.001125",
        ),
        ("openai", "gpt-5-mini", {"input_tokens": 1000, "output_tokens": 100}, "0.00045"),
        ("openai", "gpt-5-mini", {"input_tokens": 1000, "output_tokens": 100, "cache_read_tokens": 400}, "0.00036"),
        # Reasoning is part of the output and is not paid for twice.
        ("openai", "gpt-5-mini", {"input_tokens": 1000, "output_tokens": 100, "reasoning_tokens": 80}, "0.00045"),
        ("openai_chat", "gpt-5-mini", {"input_tokens": 1000, "output_tokens": 100}, "0.00045"),
        ("demo", "demo", {"input_tokens": 1000, "output_tokens": 100}, "0"),
    ],
)
def test_list_prices(workspace: Workspace, provider: str, model: str, usage: dict[str, int], dollars: str) -> None:
    assert cost(workspace, provider, model, **usage) == Decimal(dollars)


@pytest.mark.parametrize(
    ("provider", "model", "usage"),
    [
        ("openai", "house-model", {"input_tokens": 1000, "output_tokens": 100}),
        ("house", "gpt-5-mini", {"input_tokens": 1000, "output_tokens": 100}),
        ("openai", "gpt-5-mini", {"input_tokens": None, "output_tokens": 100}),
        ("openai", "gpt-5-mini", {"input_tokens": 100, "output_tokens": 100, "cache_read_tokens": 500}),
    ],
)
def test_what_is_not_known_costs_nothing_known(
    workspace: Workspace, provider: str, model: str, usage: dict[str, int]
) -> None:
    assert cost(workspace, provider, model, **usage) is None


def test_a_workspaces_own_price_wins_from_its_day_on(workspace: Workspace, other_workspace: Workspace) -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 1_000_000, "cache_read_tokens": 500_000}
    prices = workspace.price_overrides
    prices.create(model_pattern="house-*", input_usd="4", output_usd="8", valid_from=NOW - timedelta(days=9))
    prices.create(
        model_pattern="house-*", input_usd="2", output_usd="6", cache_read_usd="1", valid_from=NOW - timedelta(days=1)
    )
    prices.create(model_pattern="*", input_usd="100", output_usd="100", valid_from=NOW + timedelta(days=1))
    found = price_of(workspace, "openai_chat", "House-9b", LLMTokenUsage(**usage), at=NOW)
    assert found.cost_usd == Decimal(1) + Decimal("0.5") + Decimal(6)
    assert str(found.version).startswith("workspace/")
    earlier = price_of(workspace, "openai_chat", "house-9b", LLMTokenUsage(**usage), at=NOW - timedelta(days=5))
    assert earlier.cost_usd == Decimal(12)
    assert cost(other_workspace, "openai_chat", "house-9b", **usage) is None


@pytest.fixture
def admin(workspace: Workspace, settings) -> Client:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return browser_of(make_member(workspace, Role.ADMIN))


def test_a_price_is_set_in_the_admin_and_counts_at_once(workspace: Workspace, admin: Client) -> None:
    assert cost(workspace, "openai_chat", "house-9b", input_tokens=1_000_000, output_tokens=0) is None
    form = {"workspace": workspace.pk, "provider": "", "model_pattern": "house-*", "input_usd": "3", "output_usd": "5"}
    form |= {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00"}
    url = reverse("admin:runtime_priceoverride_add")
    assert admin.post(url, form | {"input_usd": "-1"}).status_code == 200
    assert admin.post(url, form).status_code == 302
    assert cost(workspace, "openai_chat", "house-9b", input_tokens=1_000_000, output_tokens=0) == Decimal(3)
    assert workspace.audit_entries.filter(action="price.added", target="house-*").exists()
    price = workspace.price_overrides.get()
    admin.post(reverse("admin:runtime_priceoverride_delete", args=[price.pk]), {"post": "yes"})
    assert cost(workspace, "openai_chat", "house-9b", input_tokens=1_000_000, output_tokens=0) is None
