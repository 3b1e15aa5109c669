"""Signals as people look at them: the catalogue, how each is spread, and the turns at the ends."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from telemetry.query import signals
from telemetry.show.distribution import distribution, kind_of, over_time
from tests.conftest import Driver, Remember
from tests.factories import AgentFactory, AgentRequestFactory
from workspaces.models import Workspace


def page(client: Client, workspace: Workspace, **query: Any) -> str:
    answer = client.get(f"/w/{workspace.slug}/signals/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def words(html: str) -> str:
    return " ".join(re.sub(r"<(title|option)\b.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL).split())


def test_the_catalogue_says_what_is_registered_and_what_turns_have(
    visitor: Client, workspace: Workspace, remember: Remember, django_assert_max_num_queries: Any
) -> None:
    remember("one", signals={"unused_tool_tokens": 10, "mood": "good"})
    remember("two", signals={"unused_tool_tokens": 30, "unused_tools": ["echo"]})
    remember("three", signals={"unused_tool_tokens": 20})
    remember("[summary]", metadata={"type": "summary_checkpoint"})
    with django_assert_max_num_queries(8):
        told = words(page(visitor, workspace))
    assert "Of all 3 turns of this time." in told
    assert "unused_tools string_list Names of offered tools that the turn did not call. 33.3% 1 echo" in told
    assert "unused_tool_tokens integer" in told
    assert "100.0% 3 median 20" in told
    assert "mood text No code registers it any more. 33.3% 1 good" in told
    assert "How unused_tool_tokens is spread 10 30 lowest 10 median 20 mean 20" in told


def test_the_ends_lead_to_their_traces(
    visitor: Client, workspace: Workspace, run_requests: Driver, remember: Remember
) -> None:
    agent = AgentFactory.create(workspace=workspace, agent_id="assistant")
    asked = AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="hello")
    run_requests()
    asked_trace = workspace.turns.get().turn_id
    forgotten = remember("long ago", signals={"unused_tool_tokens": -5})
    html = page(visitor, workspace, signal="unused_tool_tokens")
    lead = f"/w/{workspace.slug}/go/?q={asked_trace}"
    assert f'href="{lead}"' in html
    assert visitor.get(lead)["Location"].startswith(f"/w/{workspace.slug}/requests/{asked.request_id}/")
    kept = workspace.turns.get(turn_id=forgotten)
    assert f'href="/w/{workspace.slug}/sessions/assistant/talk/?before={kept.pk + 1}#turn-{kept.pk}"' in html
    assert html.index("Highest") < html.index("hello<")


def test_turns_are_found_by_a_condition(visitor: Client, workspace: Workspace, remember: Remember) -> None:
    for number in range(5):
        remember(
            f"turn {number}.", signals={"score": number, "ok": number > 2, "tags": ["odd" if number % 2 else "even"]}
        )

    def matching(signal: str, op: str, value: str) -> list[str]:
        return re.findall(r">turn (\d)\.", page(visitor, workspace, signal=signal, op=op, value=value))

    assert matching("score", "ge", "3") == ["4", "3"]
    assert matching("score", "eq", "2") == ["2"]
    assert matching("score", "ne", "2") == ["4", "3", "1", "0"]
    assert matching("ok", "eq", "true") == ["4", "3"]
    assert matching("tags", "has", "odd") == ["3", "1"]
    assert "is no number, which &lt; needs" in page(visitor, workspace, signal="score", op="lt", value="much")
    assert "op: like is unknown" in page(visitor, workspace, signal="score", op="like", value="1")
    assert "signal: nope is neither" in page(visitor, workspace, signal="nope")
    assert "No turn matches" in page(visitor, workspace, signal="score", op="gt", value="9")


def test_what_is_not_there_is_said(visitor: Client, workspace: Workspace, remember: Remember) -> None:
    assert "No turn in the last 7 days" in page(visitor, workspace)
    remember("one", signals={"score": 1}, created_at=timezone.now() - timedelta(days=9))
    assert "No turn in the last 7 days" in page(visitor, workspace)
    assert "Of all 1 turn of this time." in words(page(visitor, workspace, range="all"))
    assert "No turn matches" in page(visitor, workspace, range="all", agent="nobody")
    assert "None of these turns has it." in page(visitor, workspace, range="all", signal="unused_tools")


def test_a_scan_is_bounded_and_says_so(
    visitor: Client, workspace: Workspace, remember: Remember, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST_TURNS", 3)
    for number in range(5):
        remember(f"turn {number}.", signals={"score": number})
    html = page(visitor, workspace, signal="score")
    assert "Of the newest 3 turns of this time; there are more." in words(html)
    assert set(re.findall(r">turn (\d)\.", html)) == {"2", "3", "4"}


def test_only_ones_own_turns_are_read(
    visitor: Client, stranger: Client, workspace: Workspace, other_workspace: Workspace, remember: Remember
) -> None:
    remember("theirs", workspace=other_workspace, signals={"their_signal": 1})
    html = page(visitor, workspace)
    assert "their_signal" not in html
    assert "Of all 0 turns" in words(html)
    assert stranger.get(f"/w/{workspace.slug}/signals/").status_code == 404


def test_hostile_names_and_values_are_shown_and_can_do_nothing(
    visitor: Client, workspace: Workspace, remember: Remember
) -> None:
    text = '"><script>alert(1)</script><svg onload=alert(1)> \u202e {{ 7 }}'
    values: list[Any] = [text, [text], {text: text}, None, 10**400, 1e308, True, "", []]
    for value in values:
        remember(text, session_id=text, signals={text: value})
    for query in ({}, {"signal": text}, {"signal": text, "op": "has", "value": text}):
        html = page(visitor, workspace, **query)
        assert "<script>" not in html.split("<main")[1]
        assert "<svg onload" not in html


def test_values_are_spread_by_what_they_are() -> None:
    assert [kind_of(values) for values in ([1, 2.5], [True], ["a"], [["a"]], [{}], [])] == [
        "number",
        "boolean",
        "text",
        "list",
        "other",
        "other",
    ]
    numbers = distribution([*range(100), 1000])
    assert sum(bar.count for bar in numbers.bars) == 101
    assert len(numbers.bars) == 24
    assert numbers.facts["highest"] == "1,000"
    assert [(bar.label, bar.count) for bar in distribution([3, 1, 3]).bars] == [("1", 1), ("3", 2)]
    many = distribution([f"word {number}" for number in range(25)])
    assert (len(many.bars), many.categories) == (10, 25)
    assert [(bar.label, bar.count) for bar in distribution([["a", "b"], ["a"]]).bars] == [("a", 2), ("b", 1)]


def test_a_gap_is_no_zero() -> None:
    now = timezone.now()
    since = now - timedelta(hours=30)
    series, names = over_time([("a", since, 0.0), ("a", now, 4.0), ("b", now, 1.0), ("a", now, 2.0)], since, now)
    assert names == 2
    assert [each.name for each in series] == ["a", "b"]
    assert (series[0].points[0], series[0].points[1], series[0].points[-1]) == (0.0, None, 3.0)
