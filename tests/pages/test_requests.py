"""The list of requests, what can be done from it, and open by id."""

import gzip
import json
import uuid
from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Agent
from runtime.kinds import Status
from runtime.models import AgentRequest
from telemetry.web.requests.export import MOST_ROWS
from tests.factories import AgentRequestFactory, InteractionFactory, MembershipFactory, UserFactory
from tests.pages.conftest import signed_in
from tests.web import Web
from workspaces.models import User, Workspace
from workspaces.roles import Role

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


def place(workspace: Workspace, rest: str = "") -> str:
    return f"/w/{workspace.slug}/{rest}"


def listed(client: Client, workspace: Workspace, query: str = "") -> str:
    answer = client.get(place(workspace, f"requests/?{query}"))
    assert answer.status_code == 200
    return answer.content.decode()


def make(workspace: Workspace, agent: Agent, message: str = "hello", **about: object) -> AgentRequest:
    return AgentRequestFactory.create(workspace=workspace, agent=agent, message=message, **about)


def ended(status: Status = Status.COMPLETED, *, after_s: float = 3) -> dict[str, object]:
    now = timezone.now()
    return {"status": status, "accepted_at": now - timedelta(seconds=after_s), "finished_at": now}


@pytest.fixture
def thousand(workspace: Workspace, agent: Agent) -> None:
    now = timezone.now()
    AgentRequest.rows.bulk_create(
        AgentRequest(
            workspace=workspace,
            agent=agent,
            agent_version=agent.current_version,
            session_id=f"session-{number}",
            message=f"question {number} about a thing that takes a whole sentence to be told, and then some",
            answer_preview="An answer of some length. " * 6,
            created_by="tests",
            status=Status.FAILED if number % 10 == 0 else Status.COMPLETED,
            error={"error": "The provider refused."} if number % 10 == 0 else None,
            model="demo-1",
            user=f"user-{number % 20}",
            accepted_at=now - timedelta(seconds=number * 60 + 30),
            finished_at=now - timedelta(seconds=number * 60),
            input_tokens=number * 100,
            cost_usd=Decimal(number) / 1000,
        )
        for number in range(1000)
    )


def test_a_page_of_a_thousand_is_cheap(
    visitor: Client, workspace: Workspace, thousand: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        html = listed(visitor, workspace)
    assert html.count("<tr id=") == 50
    assert len(gzip.compress(html.encode())) <= 25_000
    for target, path in (("results", ""), ("histogram", "histogram/"), ("facets", "facets/"), ("peek", "")):
        with django_assert_max_num_queries(5):
            answer = visitor.get(place(workspace, f"requests/{path}"), headers=PART | {"HX-Target": f"div#{target}"})
        assert b"<html" not in answer.content


def test_pages_follow_each_other_without_loss(visitor: Client, workspace: Workspace, thousand: None) -> None:
    seen, query = list[str](), "range=1h"
    while query:
        page = visitor.get(place(workspace, f"requests/?{query}")).context
        seen += [row.session_id for row in page["page"].rows]
        query = f"range=1h&cursor={page['page'].next}" if page["page"].next else ""
    assert seen == [f"session-{number}" for number in range(60)][: len(seen)]
    assert 59 <= len(seen) <= 60


def test_figures_count_what_the_list_shows(visitor: Client, workspace: Workspace, thousand: None) -> None:
    answer = visitor.get(place(workspace, "requests/?q=status:failed&facets=1"))
    assert answer.context["histogram"].total == answer.context["histogram"].failed == answer.context["facets"].counted
    assert dict(answer.context["facets"].values)["status"] == [("failed", answer.context["facets"].counted)]
    lone = next(place for place in answer.context["chart"].places if place.href)
    assert "q=status%3Afailed" in lone.href
    assert len(visitor.get(lone.href).context["page"].rows) == int(lone.cells[0])


@pytest.mark.parametrize("filters", ["", "status=failed", "tool=nothing", "q=has:subagent+-refund", "user=nobody"])
@pytest.mark.parametrize("span", ["range=24h", "range=all", "from=1980-01-01", "from=0001-01-01", "to=9999-12-31"])
def test_figures_of_any_filter_and_span(
    visitor: Client, workspace: Workspace, thousand: None, filters: str, span: str
) -> None:
    for name in ("histogram", "facets"):
        url = place(workspace, f"requests/{name}/?{span}&{filters}")
        assert visitor.get(url, headers=PART | {"HX-Target": f"div#{name}"}).status_code == 200
    assert visitor.get(place(workspace, f"?cards=1&{span}")).status_code == 200


def test_a_query_and_its_faults_are_on_the_page(visitor: Client, workspace: Workspace, agent: Agent) -> None:
    make(workspace, agent, "apples <b>&", user="ada")
    make(workspace, agent, "pears")
    html = listed(visitor, workspace, "q=apples&user=ada")
    assert "apples &lt;b&gt;&amp;" in html
    assert "pears" not in html
    html = listed(visitor, workspace, "q=apples+colour%3Ared&user=ada")
    assert "apples &lt;b&gt;&amp;" not in html, "Others than those meant are not shown."
    assert "colour is unknown" in html
    assert "(at character 15)" in html
    assert 'value="apples colour:red user:ada"' in html


def test_columns_are_chosen(visitor: Client, workspace: Workspace, agent: Agent) -> None:
    make(workspace, agent, user="ada", kind="compaction")
    html = listed(visitor, workspace, "cols=user,model,cost,smell")
    assert "There are no such columns: smell." in html
    titles = [title for title in ("User", "Model", "Cost", "Steps") if f">{title}</th>" in html]
    assert titles == ["User", "Model", "Cost"]
    assert 'aria-label="Compaction"' in html
    ticked = visitor.get(f"/w/{workspace.slug}/requests/?range=7d&cols=user&col=model&col=cost")
    assert ticked.headers["Location"] == f"/w/{workspace.slug}/requests/?range=7d&cols=model%2Ccost"


@pytest.mark.parametrize(
    ("pill", "count"), [("Errors", 1), ("Slow", 1), ("Tool errors", 1), ("Expensive", 1), ("All", 5)]
)
def test_quick_filters(visitor: Client, workspace: Workspace, agent: Agent, pill: str, count: int) -> None:
    make(workspace, agent, **ended(Status.FAILED))
    make(workspace, agent, **ended(after_s=12))
    make(workspace, agent, tool_errors=1, tool_calls=1)
    make(workspace, agent, cost_usd=Decimal("0.2"))
    make(workspace, agent)
    pills = {each.label: each for each in visitor.get(place(workspace, "requests/?range=7d")).context["pills"]}
    assert "range=7d" in pills[pill].url
    answer = visitor.get(pills[pill].url)
    assert len(answer.context["page"].rows) == count
    assert [each.label for each in answer.context["pills"] if each.is_current] == [pill]


def test_a_request_that_was_told_to_stop_says_so(visitor: Client, workspace: Workspace, agent: Agent) -> None:
    soon, before = timezone.now() + timedelta(minutes=1), timezone.now() - timedelta(minutes=1)
    runs = make(workspace, agent, status=Status.RUNNING, lease_expires_at=soon)
    assert 'class="status running"' in listed(visitor, workspace)
    visitor.post(place(workspace, f"requests/{runs.request_id}/cancel/"))
    assert 'class="status stopping"' in listed(visitor, workspace)
    assert "has stopped it" in visitor.get(place(workspace, f"requests/{runs.request_id}/")).content.decode()
    AgentRequest.rows.filter(pk=runs.pk).update(lease_expires_at=before)
    assert 'class="status stalled"' in listed(visitor, workspace)


def test_a_peek_shows_the_request_beside_the_list(
    visitor: Client, workspace: Workspace, agent: Agent, other_workspace: Workspace
) -> None:
    row, foreign = make(workspace, agent, "what is it?"), AgentRequestFactory.create(workspace=other_workspace)
    assert "what is it?" in listed(visitor, workspace, f"peek={row.request_id}").partition('id="peek"')[2]
    headers = PART | {"HX-Target": "aside#peek"}
    part = visitor.get(place(workspace, f"requests/?peek={row.request_id}"), headers=headers).content.decode()
    assert part.strip().startswith('<aside id="peek"')
    for text in (foreign.request_id, "nonsense"):
        assert visitor.get(place(workspace, f"requests/?peek={text}")).context["peek"] is None


def test_a_view_is_saved_opened_and_deleted(visitor: Client, owner: User, workspace: Workspace) -> None:
    form = {"action": "save", "name": "My failures", "query": "status=failed&range=7d&smell=x", "is_shared": "on"}
    saved = visitor.post(place(workspace, "requests/views/"), form)
    assert saved.headers["Location"].endswith("?view=my-failures")
    opened = visitor.get(saved.headers["Location"], follow=True)
    address = urlsplit(opened.redirect_chain[0][0])
    assert parse_qs(address.query) == {"view": ["my-failures"], "status": ["failed"], "range": ["7d"]}
    assert [pill.label for pill in opened.context["pills"] if pill.is_current] == ["My failures"]
    view = workspace.saved_views.get()
    view.parameters |= {"colour": "red"}
    view.save()
    assert "unknown here: colour" in listed(visitor, workspace, "view=my-failures&status=failed")
    assert "There is no view other" in listed(visitor, workspace, "view=other")
    visitor.post(place(workspace, "requests/views/"), {"action": "delete", "view": "my-failures"})
    assert not workspace.saved_views.exists()


def test_views_are_ones_own_unless_shared(visitor: Client, viewer: Client, workspace: Workspace) -> None:
    path = place(workspace, "requests/views/")
    visitor.post(path, {"action": "save", "name": "mine", "query": "status=failed"})
    visitor.post(path, {"action": "save", "name": "ours", "query": "status=failed", "is_shared": "on"})
    viewer.post(path, {"action": "save", "name": "mine", "query": "has=error"})
    pills = viewer.get(place(workspace, "requests/")).context["pills"]
    assert [pill.url.partition("?")[2] for pill in pills[-2:]] == ["view=mine-2", "view=ours"]
    assert viewer.post(path, {"action": "delete", "view": "ours"}).status_code == 400
    assert viewer.post(path, {"action": "save", "name": "x", "query": "", "is_shared": "on"}).status_code == 403


def test_the_chosen_are_asked_about_and_then_changed(
    visitor: Client, workspace: Workspace, agent: Agent, other_workspace: Workspace
) -> None:
    running, over = make(workspace, agent), make(workspace, agent, **ended())
    foreign = AgentRequestFactory.create(workspace=other_workspace)
    form = {"chosen": [str(row.request_id) for row in (running, over, foreign)]}
    asked = visitor.get(place(workspace, "requests/chosen/cancel/"), form)
    assert [row.pk for row in asked.context["rows"]] == [running.pk]
    assert asked.context["left_out"] == 1
    visitor.post(place(workspace, "requests/chosen/cancel/"), form)
    running.refresh_from_db()
    foreign.refresh_from_db()
    assert (running.status, foreign.status) == (Status.CANCELLED, Status.ACCEPTED)
    visitor.post(place(workspace, "requests/chosen/rerun/"), {"chosen": [str(over.request_id)]})
    assert workspace.agent_requests.filter(rerun_of=over).count() == 1
    assert visitor.get(place(workspace, "requests/chosen/cancel/?chosen=x")).status_code == 400
    back = visitor.post(place(workspace, "requests/chosen/cancel/"), {"back": "status=running&range=all"})
    assert back.headers["Location"] == place(workspace, "requests/?status=running&range=all")


def test_go_opens_what_an_id_stands_for(visitor: Client, workspace: Workspace, agent: Agent) -> None:
    ids = [uuid.UUID(f"abcdef12-0000-4000-8000-00000000000{number}") for number in (1, 2)]
    rows = [make(workspace, agent, request_id=each, session_id="a/b") for each in ids]
    row = make(workspace, agent, request_id=uuid.UUID("abcdef99" + "0" * 24), trace_id=uuid.UUID("beef" * 8))
    asked = InteractionFactory.create(workspace=workspace, agent_request=row)
    targets = {
        str(rows[0].request_id): f"requests/{rows[0].request_id}/",
        "ABCDEF99": f"requests/{row.request_id}/",
        "beefbe": f"requests/{row.request_id}/",
        agent.agent_id: f"agents/{agent.agent_id}/",
        asked.interaction_id: f"inbox/{asked.interaction_id}/",
        "a/b": f"sessions/{agent.agent_id}/a/b/",
        "usage": "usage/",
    }
    for text, target in targets.items():
        answer = visitor.get(place(workspace, "go/"), {"q": text})
        assert answer.headers.get("Location") == place(workspace, target), text
    several = visitor.get(place(workspace, "go/"), {"q": "abcdef"})
    assert len(several.context["hits"]) == 3
    for text in ("abcde", "ffffff", "'; --", "\0"):
        nothing = visitor.get(place(workspace, "go/"), {"q": text})
        assert (nothing.status_code, "Nothing found" in nothing.content.decode()) == (404, True)


def test_go_finds_nothing_of_others(
    visitor: Client,
    workspace: Workspace,
    other_workspace: Workspace,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    foreign = AgentRequestFactory.create(workspace=other_workspace, trace_id=uuid.uuid4())
    asked = InteractionFactory.create(workspace=other_workspace, agent_request=foreign)
    for text in (
        foreign.request_id,
        foreign.trace_id,
        foreign.session_id,
        foreign.agent.agent_id,
        asked.interaction_id,
    ):
        with django_assert_max_num_queries(10):
            answer = visitor.get(place(workspace, "go/"), {"q": str(text)})
        assert answer.status_code == 404


def test_lists_without_rows_say_what_to_do(visitor: Client, workspace: Workspace, stranger: Client) -> None:
    assert "curl -s" in listed(visitor, workspace)
    assert "Clear the filters" in listed(visitor, workspace, "status=failed")
    for rest in ("requests/", "requests/histogram/", "requests/facets/", "go/?q=x"):
        assert stranger.get(place(workspace, rest)).status_code == 404


def test_the_filter_is_exported_as_lines(transactional_db: None, workspace: Workspace, agent: Agent) -> None:
    user = UserFactory.create()
    MembershipFactory.create(workspace=workspace, user=user, role=Role.VIEWER)
    for number in range(3):
        make(workspace, agent, f"question {number}", user="ada" if number else "")
    cookie = signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
    answer = Web().get(place(workspace, "requests/export?user=ada"), headers=headers)
    assert answer.headers["content-disposition"] == 'attachment; filename="requests.jsonl"'
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line["message"] for line in lines] == ["question 2", "question 1"]
    assert Web().get(place(workspace, "requests/export?q=colour:red"), headers=headers).status == 400
    assert Web().get(place(workspace, "requests/export")).status == 401
    assert MOST_ROWS == 100_000
