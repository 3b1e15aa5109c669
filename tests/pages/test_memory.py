"""Searching memory as people do it: words in, marked passages out, each with its way to the turn and the trace."""

import re
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.test import APIClient

from agents.models import Agent
from telemetry.show.passage import passage
from tests.conftest import AgentMaker, Driver, Remember
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#results"}


@pytest.fixture
def assistant(make_agent: AgentMaker) -> Agent:
    return make_agent(row={"agent_id": "assistant", "role": Agent.Role.PRIMARY})


def search(client: Client, workspace: Workspace, status: int = 200, **query: Any) -> str:
    answer = client.get(f"/w/{workspace.slug}/memory/", query)
    assert answer.status_code == status
    return answer.content.decode()


def test_a_result_leads_to_its_turn_and_its_trace(
    visitor: Client,
    workspace: Workspace,
    assistant: Agent,
    run_requests: Driver,
    api_client: APIClient,
    django_assert_max_num_queries: Any,
) -> None:
    AgentRequestFactory.create(
        workspace=workspace, agent=assistant, session_id="talk", message="say=zebra stripes please"
    )
    run_requests()
    asked, turn = workspace.agent_requests.get(), workspace.turns.get()
    # Two searches, each of which PostgreSQL may take two statements for.
    with django_assert_max_num_queries(15):
        html = search(visitor, workspace, q="ZEBRA")
    assert html.count('class="hit"') == 2, "The question and the answer."
    assert "<mark>zebra</mark>" in html
    assert f'href="/w/{workspace.slug}/sessions/assistant/talk/?before={turn.pk + 1}#turn-{turn.pk}"' in html
    assert f'href="/w/{workspace.slug}/requests/{asked.request_id}/"' in html
    session = visitor.get(f"/w/{workspace.slug}/sessions/assistant/talk/?before={turn.pk + 1}").content.decode()
    assert f'id="turn-{turn.pk}"' in session
    found = api_client.get("/api/v1/telemetry/memory/search?q=@user:zebra&app_id=assistant").json()["data"]["results"]
    assert [hit["turn_id"] for hit in found] == [str(turn.turn_id)]


def test_role_agent_session_and_limit_narrow_a_search(
    visitor: Client, workspace: Workspace, assistant: Agent, make_agent: AgentMaker, remember: Remember
) -> None:
    make_agent(row={"agent_id": "other"})
    remember("apple pie", "no fruit", session_id="one", user="ada")
    remember("what fruit", "apple tart", session_id="two")
    remember("apple of another", agent_id="other")

    def passages(**query: Any) -> set[str]:
        html = search(visitor, workspace, **query)
        return {re.sub("<[^>]*>", "", text) for text in re.findall(r'hit-text" dir="auto">(.*?)</p>', html)}

    assert passages(q="apple") == {"apple pie", "apple tart"}
    assert passages(q="apple", role="user") == passages(q="@user: apple") == {"apple pie"}
    assert passages(q="apple", role="agent") == passages(q="@AGENT: apple", role="user") == {"apple tart"}
    assert passages(q="apple", session="two") == {"apple tart"}
    assert passages(q="apple", user="ada") == {"apple pie"}
    assert passages(q="apple", user="ad") == set()
    assert passages(q="apple", agent="other") == {"apple of another"}
    assert len(passages(q="apple", limit="1")) == 1


def test_what_is_wrong_is_said(
    visitor: Client, workspace: Workspace, assistant: Agent, remember: Remember, settings: Any
) -> None:
    assert "Find a turn by its words" in search(visitor, workspace)
    assert "names no word to find" in search(visitor, workspace, 400, q="?!")
    remember("apple", session_id="one")
    nothing = search(visitor, workspace, q="apple", session="two")
    assert "No turn holds all of these words" in nothing
    assert 'href="/w/' in nothing.split("Drop the session filter")[0].rpartition("<a ")[2]
    assert "Drop the session filter" not in search(visitor, workspace, q="pear")
    assert "There is no such agent." in search(visitor, workspace, 404, q="apple", agent="nobody")
    settings.MASH_OBSERVABILITY_ENABLED = False
    assert "MASH_OBSERVABILITY_ENABLED" in search(visitor, workspace, 503, q="apple")


def test_memory_that_is_away_is_named(
    visitor: Client, workspace: Workspace, assistant: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("secret host is down")

    monkeypatch.setattr("agents.memory.search.find_candidates", away)
    html = search(visitor, workspace, 503, q="apple")
    assert "The database that holds memory does not answer" in html
    assert "secret host" not in html


def test_htmx_gets_the_results_alone_and_the_drawer_tells_the_stages(
    visitor: Client, workspace: Workspace, assistant: Agent, remember: Remember
) -> None:
    remember("apple")
    answer = visitor.get(f"/w/{workspace.slug}/memory/", {"q": "apple", "debug": "1"}, headers=HTMX)
    html = answer.content.decode()
    assert html.strip().startswith('<div id="results">')
    for stage in ("parse.complete", "retrieval.complete", "rerank.complete"):
        assert html.count(f"memory.search.{stage}") == 2
    assert "keyword_hits=1" in html


def test_a_stranger_searches_only_its_own(
    visitor: Client,
    stranger: Client,
    workspace: Workspace,
    other_workspace: Workspace,
    assistant: Agent,
    remember: Remember,
) -> None:
    remember("their secret", workspace=other_workspace)
    remember("our secret")
    html = search(visitor, workspace, q="secret")
    assert "our <mark>secret</mark>" in html
    assert "their" not in html
    assert stranger.get(f"/w/{workspace.slug}/memory/", {"q": "secret"}).status_code == 404


@pytest.mark.parametrize(
    ("text", "term", "shown"),
    [
        ("<b>apple</b>", "apple", "&lt;b&gt;<mark>apple</mark>&lt;/b&gt;"),
        ("APPLE applesauce pineapple", "apple", "<mark>APPLE</mark> applesauce pineapple"),
        ("Un Café noir", "cafe", "Un <mark>Café</mark> noir"),
        ("Un Cafe\u0301 noir", "cafe", "Un <mark>Cafe\u0301</mark> noir"),
        ("STRASSE und Straße", "strasse", "<mark>STRASSE</mark> und <mark>Straße</mark>"),
        ("سعر التفاح اليوم", "التفاح", "سعر <mark>التفاح</mark> اليوم"),
        ("nothing", "apple", "nothing"),
        ("", "apple", ""),
    ],
)
def test_words_are_marked_as_search_compares_them(text: str, term: str, shown: str) -> None:
    assert passage(text, [term]) == shown


def test_a_passage_is_cut_around_the_most_words() -> None:
    text = "apple " + "word " * 500 + "apple <pear> & plum " + "word " * 500
    shown = passage(text, ["apple", "pear", "plum"])
    assert shown.startswith("…word")
    assert shown.endswith("word…")
    assert "<mark>apple</mark> &lt;<mark>pear</mark>&gt; &amp; <mark>plum</mark>" in shown
    assert len(re.sub("<[^>]*>", "", shown)) < 230
