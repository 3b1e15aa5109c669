"""Usage and cost: the same numbers as the API, told in tiles, bars, a table and a file."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import DailyUsage
from tests.factories import AgentFactory
from tests.pages.history import past_request
from workspaces.models import Workspace

TOP = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#top"}


def used(workspace: Workspace, *, days_ago: int = 0, **row: Any) -> None:
    day = timezone.now().astimezone(UTC).date() - timedelta(days=days_ago)
    shown = {"agent_name": "desk", "user": "ada", "provider": "anthropic", "model": "haiku", "shard": 0}
    counted = {"model_calls": 2, "input_tokens": 1000, "cache_read_tokens": 250, "output_tokens": 100}
    workspace.daily_usage.create(day=day, **{**shown, **counted, "cost_usd": Decimal("1.25"), **row})


@pytest.fixture
def busy(workspace: Workspace) -> Workspace:
    used(workspace)
    used(workspace, shard=3)
    used(workspace, days_ago=3, agent_name="أمل", user="", cost_usd=Decimal("0.5"))
    used(workspace, days_ago=20, model="home-made", cost_usd=Decimal(0), unknown_price_calls=2, user="=2+5")
    used(workspace, days_ago=40, agent_name="old")
    return workspace


def page_of(client: Client, workspace: Workspace, query: str = "") -> str:
    response = client.get(f"/w/{workspace.slug}/usage/{query}")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("by", ["agent", "model", "user"])
def test_the_file_has_the_numbers_of_the_api(visitor: Client, api_client: APIClient, busy: Workspace, by: str) -> None:
    told = api_client.get(f"/api/v1/telemetry/usage?group_by={by}").json()["data"]
    response = visitor.get(f"/w/{busy.slug}/usage/?by={by}&format=csv")
    assert f"usage-{busy.slug}-{by}-" in response["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert len(rows) == len(told["rows"])
    names = {"model_calls": "model_calls", "input_tokens": "input", "output_tokens": "output", "cost_usd": "cost_usd"}
    for column, name in names.items():
        assert sum(float(row[column]) for row in rows) == pytest.approx(told["totals"][name])
        assert sorted(float(row[column]) for row in rows) == pytest.approx(sorted(row[name] for row in told["rows"]))


def test_a_name_is_no_formula_in_a_spreadsheet(visitor: Client, busy: Workspace) -> None:
    assert "'=2+5" in visitor.get(f"/w/{busy.slug}/usage/?by=user&format=csv").content.decode()


def test_the_page_has_the_numbers_of_the_api(
    visitor: Client, api_client: APIClient, busy: Workspace, django_assert_max_num_queries: Any
) -> None:
    totals = api_client.get("/api/v1/telemetry/usage?group_by=agent").json()["data"]["totals"]
    with django_assert_max_num_queries(9):
        page = page_of(visitor, busy)
    assert (totals["cost_usd"], totals["model_calls"], totals["input"]) == (3.0, 8, 4000)
    assert '<span class="tile-value">$3.00</span>' in page
    assert '<span class="tile-value">4,400</span>' in page
    assert '<span class="tile-value">25.0%</span>' in page
    assert re.search(r"leaves out calls.*2 of <b[^>]*>anthropic / home-made</b>", page, re.DOTALL)


@pytest.mark.parametrize(("name", "parameter"), [("agent", "agent_id"), ("model", "model"), ("user", "user")])
def test_one_agents_models_or_users_part(
    visitor: Client, api_client: APIClient, busy: Workspace, name: str, parameter: str
) -> None:
    value = {"agent": "desk", "model": "home-made", "user": "ada"}[name]
    told = api_client.get(f"/api/v1/telemetry/usage?group_by=day&{parameter}={value}").json()["data"]["totals"]
    whole = api_client.get("/api/v1/telemetry/usage?group_by=day").json()["data"]["totals"]
    assert 0 < told["model_calls"] < whole["model_calls"]
    page = page_of(visitor, busy, f"?{name}={value}")
    assert f'<span class="tile-value">{told["model_calls"]}</span>' in page
    rows = list(
        csv.DictReader(visitor.get(f"/w/{busy.slug}/usage/?{name}={value}&format=csv").content.decode().split("\n"))
    )
    assert sum(int(row["model_calls"]) for row in rows) == told["model_calls"]
    assert "No model was called" in page_of(visitor, busy, f"?{name}=nobody")
    assert visitor.get(f"/w/{busy.slug}/usage/?{name}=desk", headers=TOP).status_code == 200


def test_days_and_groups_add_up_to_the_whole(visitor: Client, busy: Workspace) -> None:
    page = page_of(visitor, busy, "?by=user&metric=calls&range=7d")
    names = re.findall(r'<th scope="col">([^<]+)</th>', page)
    assert names[1:3] == ["ada", "no user"]
    cells = re.findall(r'<th scope="row">\d\d \w+ \d{4}[^<]*</th>\s*<td>(\d+)</td>\s*<td>(\d+)</td>', page)
    assert [sum(int(cell) for cell in column) for column in zip(*cells, strict=True)] == [4, 2]


def test_more_groups_than_colours_are_others(visitor: Client, workspace: Workspace) -> None:
    for number in range(6):
        used(workspace, agent_name=f"agent-{number}", cost_usd=Decimal(number + 1))
    page = page_of(visitor, workspace)
    assert "agent-5 $6.00, agent-4 $5.00, agent-3 $4.00, agent-2 $3.00, others $3.00" in page


def test_who_names_days_means_all_of_both(visitor: Client, workspace: Workspace) -> None:
    today = timezone.now().astimezone(UTC).date()
    used(workspace, days_ago=2)
    used(workspace, days_ago=1)
    used(workspace)
    page = page_of(visitor, workspace, f"?from={today - timedelta(days=2)}&to={today - timedelta(days=1)}")
    assert '<span class="tile-value">$2.50</span>' in page
    assert "Cost by day" in page


def test_a_month_is_carried_on_to_its_end(
    visitor: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 11, tzinfo=UTC))
    for day in (1, 2, 9):
        workspace.daily_usage.create(
            day=datetime(2026, 11, day, tzinfo=UTC).date(), shard=0, model_calls=1, cost_usd=Decimal(10)
        )
    page = page_of(visitor, workspace, "?range=7d")
    assert "November to date" in page
    assert '<span class="tile-value">$30.00</span>' in page
    assert "$90.00 by its end" in page


def test_what_used_most_comes_after_the_page(visitor: Client, workspace: Workspace) -> None:
    agent: Agent = AgentFactory.create(workspace=workspace, agent_id="desk")
    now = timezone.now()
    used(workspace)
    for number in range(7):
        past_request(agent, now, session_id=f"s-{number % 2}", message=f"trip {number}", cost_usd=Decimal(number))
    assert "trip 6" not in page_of(visitor, workspace)
    part = visitor.get(f"/w/{workspace.slug}/usage/", headers=TOP).content.decode()
    assert re.findall(r"trip \d", part) == [f"trip {number}" for number in (6, 5, 4, 3, 2)]
    assert part.index("$12.00") < part.index("$9.00")
    assert "trip 6" in page_of(visitor, workspace, "?top=1")


def test_what_does_not_make_sense_is_said(visitor: Client, busy: Workspace) -> None:
    page = page_of(visitor, busy, "?by=moon&metric=joy&range=9y&from=yesterday")
    for fault in ("moon is unknown", "joy is unknown", "yesterday is no time"):
        assert fault in page


def test_a_quiet_time_offers_a_longer_one(visitor: Client, workspace: Workspace) -> None:
    assert DailyUsage.rows.count() == 0
    page = page_of(visitor, workspace)
    assert "No model was called in this time" in page
    assert "range=90d" in page
