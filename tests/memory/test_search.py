"""Memory search as the API shows it (contract 2.2.15, 6.3 to 6.5), the same over both databases."""

from math import isclose
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from agents.memory.erase import erase_session
from agents.memory.terms import terms_of
from tests.conftest import Remember
from tests.factories import AgentFactory
from workspaces.models import Workspace

WORDS = [
    "cat",
    "dog",
    "Cat",
    "cats",
    "naïve",
    "NAIVE",
    "straße",
    "x1",
    "1e5",
    "don't",
    "a-b",
    "日本",
    "が",
    "_",
    "'",
    '"',
    "OR",
    "*",
]
texts = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)


@pytest.fixture(autouse=True)
def _assistant(workspace: Workspace) -> None:
    AgentFactory.create(workspace=workspace, agent_id="assistant")


def search(client: APIClient, query: str, **more: Any) -> Any:
    parameters = "&".join(
        f"{name}={quote(str(value))}" for name, value in {"q": query, "app_id": "assistant", **more}.items()
    )
    return client.get(f"/api/v1/telemetry/memory/search?{parameters}")


def found(client: APIClient, query: str, **more: Any) -> list[str]:
    answer = search(client, query, **more)
    assert answer.status_code == 200, answer.content
    return [row["turn_id"] for row in answer.json()["data"]["results"]]


@pytest.mark.appendix_a("A29")
def test_the_grammar_is_the_contracts(api_client: APIClient, remember: Remember) -> None:
    both = remember("a word of b")
    remember("only a here")
    for query in ("foo", "@x:foo", "@user:", "@user: ?!", f"@user: {'w ' * 600}"):
        answer = search(api_client, query)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "SEARCH_VALIDATION_ERROR"), query
    assert found(api_client, "@USER: a   b") == [both]


@pytest.mark.appendix_a("A30")
def test_scores_fall_with_the_rank(api_client: APIClient, remember: Remember) -> None:
    once = remember("an invoice among very many other words that make this text a long one")
    twice = remember("invoice, invoice!")
    answer = search(api_client, "@user: Invoice", limit=99).json()["data"]
    assert [row["turn_id"] for row in answer["results"]] == [twice, once]
    assert answer["results"][0]["similarity_score"] == 0.5
    assert isclose(answer["results"][1]["similarity_score"], 1 / 3)
    assert answer["results"][0]["preview"] == "invoice, invoice!"
    assert (answer["app_id"], answer["session_id"], answer["query"], answer["limit"]) == (
        "assistant",
        None,
        "@user: Invoice",
        50,
    )


def test_equal_turns_come_newest_first_and_previews_are_short(api_client: APIClient, remember: Remember) -> None:
    ids = [remember(f"same {'x' * 300}") for _ in range(3)]
    answer = search(api_client, "@user: same", limit=2).json()["data"]["results"]
    assert [row["turn_id"] for row in answer] == ids[:0:-1]
    assert len(answer[0]["preview"]) == 200


def test_a_column_a_session_an_agent_and_a_workspace_bound_a_search(
    api_client: APIClient, remember: Remember, workspace: Workspace, other_workspace: Workspace
) -> None:
    mine = remember("apple", "pear")
    elsewhere = remember("apple", session_id="other")
    remember("apple", agent_id="another")
    remember("apple", workspace=other_workspace)
    assert found(api_client, "@agent: pear") == [mine]
    assert found(api_client, "@agent: apple") == []
    assert set(found(api_client, "@user: apple")) == {mine, elsewhere}
    assert found(api_client, "@user: apple", session_id="other") == [elsewhere]
    assert found(api_client, "@user: apple", session_id="nobody") == []


def test_erased_turns_are_not_found(api_client: APIClient, remember: Remember, workspace: Workspace) -> None:
    remember("apple")
    kept = remember("apple", session_id="kept")
    erase_session(workspace, agent_id="assistant", session_id="talk")
    assert found(api_client, "@user: apple") == [kept]
    assert workspace.search_entries.count() == 1


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("app_id=assistant", 400, "MISSING_QUERY"),
        ("q=%20&app_id=assistant", 400, "MISSING_QUERY"),
        ("q=@user:a", 400, "MISSING_APP_ID"),
        ("q=@user:a&app_id=nobody", 404, "AGENT_NOT_FOUND"),
        ("q=@user:a&app_id=assistant&limit=x", 422, "VALIDATION_ERROR"),
    ],
)
def test_a_bad_question_is_told_so(api_client: APIClient, query: str, status: int, code: str) -> None:
    answer = api_client.get(f"/api/v1/telemetry/memory/search?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_telemetry_that_is_off_does_not_search(api_client: APIClient) -> None:
    with override_settings(MASH_OBSERVABILITY_ENABLED=False):
        answer = search(api_client, "@user: a")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "OBSERVABILITY_DISABLED")


def expected(stored: list[tuple[str, str]], query: str) -> list[str]:
    """Turns by the promised rule, worked out without a database: all words, BM25, newest first."""
    terms = list(dict.fromkeys(terms_of(query)))
    hits = [(place, turn_id, terms_of(text)) for place, (turn_id, text) in enumerate(stored)]
    hits = [hit for hit in hits if set(terms) <= set(hit[2])]
    average = sum(len(words) for *_, words in hits) / max(1, len(hits))

    def relevance(words: list[str]) -> float:
        held_back = 1.2 * (0.25 + 0.75 * len(words) / average)
        return sum(words.count(term) / (words.count(term) + held_back) for term in terms)

    return [turn_id for _, turn_id, _ in sorted(hits, key=lambda hit: (-round(relevance(hit[2]), 9), -hit[0]))]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.lists(texts, min_size=1, max_size=8), query=texts.filter(terms_of))
def test_every_database_gives_the_same_hits_in_the_same_order(
    api_client: APIClient, remember: Remember, workspace: Workspace, messages: list[str], query: str
) -> None:
    """The expectation knows no database, so both columns are held against one truth, scores included."""
    erase_session(workspace, agent_id="assistant", session_id="talk")
    stored = [(remember(message), message) for message in messages]
    rows = search(api_client, f"@user: {query}", limit=50).json()["data"]["results"]
    assert [row["turn_id"] for row in rows] == expected(stored, query)
    assert [row["similarity_score"] for row in rows] == [1 / (1 + rank) for rank in range(1, len(rows) + 1)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't STOP_now", ["don", "t", "stop", "now"]),
        ("Ünïcödé Straße ﬁn", ["unicode", "strasse", "fin"]),
        ("が日本 ガ", ["が日本", "ガ"]),
        (normalize("NFD", "é"), ["e"]),
        ("x" * 70, ["x" * 64]),
        ("\x00\u200b…", []),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_and_accents(text: str, words: list[str]) -> None:
    assert terms_of(text) == words
