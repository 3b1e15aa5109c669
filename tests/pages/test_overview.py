"""The overview: the present at once, a span of time after it, and what to do in an empty workspace."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from telemetry.query.requests import read_request_filter
from tests.factories import AgentFactory
from tests.pages.history import past_request
from workspaces.models import Workspace
from workspaces.tokens import issue_token

CARDS = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#cards"}


@pytest.fixture
def desk(workspace: Workspace) -> Agent:
    return AgentFactory.create(workspace=workspace, agent_id="desk")


def text_of(client: Client, url: str, **headers: Any) -> str:
    response = client.get(url, **headers)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_workspace_says_what_to_do_and_ticks_it_off(visitor: Client, workspace: Workspace) -> None:
    url = f"/w/{workspace.slug}/"
    page = text_of(visitor, url)
    assert "Create an agent" in page
    assert "/api/v1/agent/assistant/request" in page
    assert page.count('aria-label="Done"') == 0
    AgentFactory.create(workspace=workspace, agent_id="desk")
    issue_token(workspace, name="first", actor="tests")
    page = text_of(visitor, url)
    assert page.count('aria-label="Done"') == 2
    assert "/api/v1/agent/desk/request" in page


def test_the_first_request_opens_the_overview(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    past_request(desk, timezone.now())
    headers = {**CARDS, "HX-Target": "section#first-run"}
    assert visitor.get(f"/w/{workspace.slug}/", headers=headers)["HX-Redirect"] == f"/w/{workspace.slug}/"


def test_a_viewer_is_told_whom_to_ask(viewer: Client, workspace: Workspace) -> None:
    page = text_of(viewer, f"/w/{workspace.slug}/")
    assert "Ask somebody who may define agents." in page
    assert "/admin/agents/agent/add/" not in page


def test_the_page_shows_the_present_and_leaves_figures_for_later(
    visitor: Client, workspace: Workspace, desk: Agent, django_assert_max_num_queries: Any
) -> None:
    past_request(desk, timezone.now() - timedelta(minutes=5), error="The model is down.", message="weather in Lima")
    with django_assert_max_num_queries(8):
        page = text_of(visitor, f"/w/{workspace.slug}/")
    assert "weather in Lima" in page
    assert re.search(r"<b>1</b></span> failed in 1 h", page)
    assert 'hx-trigger="load"' in page
    assert "Cost by model" not in page
    assert f'href="/w/{workspace.slug}/?cards=1"' in page


def test_figures_come_as_one_part_or_with_the_page(
    visitor: Client, workspace: Workspace, desk: Agent, django_assert_max_num_queries: Any
) -> None:
    for minutes in range(3):
        past_request(desk, timezone.now() - timedelta(minutes=minutes), ms=2000, error="No 7" if minutes else "")
    with django_assert_max_num_queries(7):
        part = text_of(visitor, f"/w/{workspace.slug}/", headers=CARDS)
    assert part.lstrip().startswith('<div id="cards"')
    assert "66.7%" in part
    assert "2 of 3 failed" in part
    assert "$1.50" in part
    whole = text_of(visitor, f"/w/{workspace.slug}/?cards=1")
    assert "2 of 3 failed" in whole
    assert 'hx-trigger="load"' not in whole


def test_each_bar_leads_to_the_requests_that_it_counts(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    other = AgentFactory.create(workspace=workspace, agent_id="other")
    for hours in (1, 1.2, 5, 30):
        past_request(desk, timezone.now() - timedelta(hours=hours))
    past_request(other, timezone.now() - timedelta(hours=1))
    part = text_of(visitor, f"/w/{workspace.slug}/?agent=desk", headers=CARDS)
    bars = re.findall(r'<a href="([^"]+/requests/[^"]+)" aria-label="[^"]*: failed (\d+), others (\d+)"', part)
    assert sum(int(failed) + int(others) for _, failed, others in bars) == 3
    for url, failed, others in bars:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url.replace("&amp;", "&")).query).items()}
        assert asked["agent"] == "desk"
        assert read_request_filter(asked).apply(workspace).count() == int(failed) + int(others)


def test_tiles_count_what_their_links_list(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    for hours in range(6):
        past_request(desk, timezone.now() - timedelta(hours=hours, minutes=1), error="down" if hours < 2 else "")
    part = text_of(visitor, f"/w/{workspace.slug}/?range=24h", headers=CARDS)
    tiles = dict(re.findall(r'<a href="[^"]*/requests/\?([^"]+)">([^<]+)</a>\s*<span class="tile-value">', part))
    by_title = {title: parse_qs(query.replace("&amp;", "&")) for query, title in tiles.items()}
    failed = {name: values[0] for name, values in by_title["Error rate"].items()}
    assert read_request_filter(failed).apply(workspace).count() == 2
    assert "2 of 6 failed" in part


def test_a_time_without_requests_offers_a_longer_one(visitor: Client, workspace: Workspace, desk: Agent) -> None:
    past_request(desk, timezone.now() - timedelta(days=3))
    part = text_of(visitor, f"/w/{workspace.slug}/", headers=CARDS)
    assert "No request in this time" in part
    assert "range=7d" in part


def test_a_stranger_finds_nothing(stranger: Client, workspace: Workspace, desk: Agent) -> None:
    past_request(desk, timezone.now())
    for path in ("", "usage/", "usage/?format=csv", "agents/", "agents/desk/"):
        assert stranger.get(f"/w/{workspace.slug}/{path}").status_code == 404
