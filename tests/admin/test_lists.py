"""Lists of a million rows: keys instead of page numbers, no count, a fixed number of queries, and indexes that fit."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from runtime.kinds import Status
from runtime.models import AgentRequest, RuntimeEvent
from tests.admin.conftest import SignIn
from tests.factories import AgentFactory, AgentRequestFactory, SessionFactory, TurnFactory
from workspaces.roles import Role

REQUESTS = "admin:runtime_agentrequest_changelist"
EVENTS = "admin:runtime_runtimeevent_changelist"
LISTS = [REQUESTS, EVENTS, "admin:agents_turn_changelist", "admin:agents_session_changelist"]


@pytest.fixture
def viewer(sign_in: SignIn):
    return sign_in(Role.VIEWER)


def fill(workspace, count: int) -> None:
    agent = AgentFactory.create(workspace=workspace)
    session = SessionFactory.create(workspace=workspace, agent_id=agent.agent_id)
    for _ in range(count):
        AgentRequestFactory.create(workspace=workspace, agent=agent)
        TurnFactory.create(workspace=workspace, session=session)
        SessionFactory.create(workspace=workspace, agent_id=agent.agent_id)


def statements(client, url: str, **query: Any) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url, query).status_code == 200
    return [entry["sql"] for entry in captured.captured_queries]


@pytest.mark.parametrize("name", LISTS)
def test_no_list_counts_or_skips(viewer, workspace, name):
    fill(workspace, 3)
    for sql in statements(viewer, reverse(name)):
        assert "COUNT(" not in sql
        assert "OFFSET" not in sql


@pytest.mark.parametrize("name", LISTS)
def test_the_number_of_queries_does_not_grow(viewer, workspace, name):
    fill(workspace, 1)
    few = statements(viewer, reverse(name))
    fill(workspace, 20)
    many = statements(viewer, reverse(name))
    assert len(few) == len(many) <= 6


def keys_on(answer: Any, model: str) -> list[int]:
    return [int(key) for key in re.findall(rf"/{model}/(\d+)/change/", answer.content.decode())]


def link(answer: Any, rel: str) -> str | None:
    found = re.search(rf'<a href="([^"]+)" rel="{rel}"', answer.content.decode())
    return found[1].replace("&amp;", "&") if found else None


def test_pages_lead_through_everything_and_back(viewer, workspace):
    agent = AgentFactory.create(workspace=workspace)
    keys = [AgentRequestFactory.create(workspace=workspace, agent=agent).pk for _ in range(120)][::-1]
    url = reverse(REQUESTS)
    first = viewer.get(url)
    assert link(first, "prev") is None
    second = viewer.get(url + link(first, "next"))
    third = viewer.get(url + link(second, "next"))
    assert link(third, "next") is None
    pages = [keys_on(page, "agentrequest") for page in (first, second, third)]
    assert [key for page in pages for key in page] == keys
    back = viewer.get(url + link(third, "prev"))
    assert keys_on(back, "agentrequest") == pages[1]
    assert keys_on(viewer.get(url + link(back, "prev")), "agentrequest") == pages[0]


@pytest.mark.parametrize("query", [{"before": "x"}, {"workspace": "999999"}, {"workspace": "x"}, {"nonsense": "1"}])
def test_a_wrong_address_is_an_answer_too(operator, workspace, other_workspace, query):
    assert operator.get(reverse(REQUESTS), query).status_code in {302, 400}


def test_requests_are_found_by_id_and_by_session(viewer, workspace):
    wanted = AgentRequestFactory.create(workspace=workspace, session_id="wanted")
    AgentRequestFactory.create(workspace=workspace)
    for text in (str(wanted.request_id), f" {wanted.request_id.hex} ", "wanted"):
        assert keys_on(viewer.get(reverse(REQUESTS), {"q": text}), "agentrequest") == [wanted.pk]
    event = wanted.events.get()
    for text in (str(wanted.request_id), "wanted"):
        assert event.pk in keys_on(viewer.get(reverse(EVENTS), {"q": text}), "runtimeevent")


def test_a_session_whose_id_looks_like_a_request_is_found(viewer, workspace):
    session_id = "0b9f6d4e-8f5c-4a52-9a55-31a6a4b1a111"
    row = AgentRequestFactory.create(workspace=workspace, session_id=session_id)
    assert keys_on(viewer.get(reverse(REQUESTS), {"q": session_id}), "agentrequest") == [row.pk]


def test_the_status_filter(viewer, workspace):
    failed = AgentRequestFactory.create(workspace=workspace, status=Status.FAILED, finished_at=timezone.now())
    waiting = AgentRequestFactory.create(workspace=workspace)
    for status, row in (("failed", failed), ("unfinished", waiting)):
        assert keys_on(viewer.get(reverse(REQUESTS), {"status": status}), "agentrequest") == [row.pk]


def test_a_request_leads_to_its_events_page_by_page(viewer, workspace):
    row = AgentRequestFactory.create(workspace=workspace)
    rows = [
        RuntimeEvent(
            workspace=workspace, agent_request=row, sequence=n, event_type="agent.run.start", created_at=timezone.now()
        )
        for n in range(2, 131)
    ]
    workspace.events.bulk_create(rows)
    url = reverse("admin:runtime_agentrequest_change", args=[row.pk])
    first = viewer.get(url)
    assert len(keys_on(first, "runtimeevent")) == 100
    assert len(keys_on(viewer.get(url + link(first, "next")), "runtimeevent")) == 30


def test_somebody_in_two_workspaces_sees_one_at_a_time(operator, workspace, other_workspace):
    mine, theirs = (AgentRequestFactory.create(workspace=each) for each in (workspace, other_workspace))
    for each, row in ((workspace, mine), (other_workspace, theirs)):
        assert keys_on(operator.get(reverse(REQUESTS), {"workspace": each.pk}), "agentrequest") == [row.pk]
    assert len(keys_on(operator.get(reverse(REQUESTS)), "agentrequest")) == 1


INDEXES = {
    "": "request_by_workspace",
    "status=failed": "request_failed",
    "status=unfinished": "USING INDEX request_",
    "q=s-1": "request_by_session",
    "before=999999999": "request_by_workspace (workspace_id=? AND id<?)",
}


@pytest.mark.parametrize("query", INDEXES)
def test_an_index_brings_each_page(viewer, workspace, query):
    """The database reads a page in the order of an index: it neither scans the table nor sorts."""
    AgentRequestFactory.create(workspace=workspace)
    if connection.vendor == "postgresql":
        _many_requests(workspace)
    plan = _plan(viewer, f"{reverse(REQUESTS)}?{query}", AgentRequest._meta.db_table)
    assert "Seq Scan on runtime_agentrequest" not in plan
    assert "TEMP B-TREE" not in plan
    if connection.vendor == "sqlite":
        assert INDEXES[query] in plan
    elif query != "status=unfinished":
        assert "Sort" not in plan


def _plan(client, url: str, table: str) -> str:
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    selects = [entry["sql"] for entry in captured.captured_queries if f'FROM "{table}"' in entry["sql"]]
    word = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        cursor.execute(f"{word} {selects[-1].replace('%', '%%')}")
        return "\n".join(str(row) for row in cursor.fetchall())


def _many_requests(workspace) -> None:
    """PostgreSQL plans by what it has counted."""
    agent = AgentFactory.create(workspace=workspace)
    rows = [
        AgentRequest(
            workspace=workspace,
            agent=agent,
            agent_version=agent.current_version,
            session_id=f"s-{n % 2000}",
            message="hello",
            created_by="tests",
            accepted_at=timezone.now(),
            status=Status.FAILED if n % 500 == 0 else Status.COMPLETED,
            finished_at=timezone.now(),
        )
        for n in range(20_000)
    ]
    workspace.agent_requests.bulk_create(rows, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {AgentRequest._meta.db_table}")
