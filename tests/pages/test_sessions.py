"""Sessions as people see them: the list, one session's transcript, and what may be done with it."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from agents.models import Agent
from runtime.models import AgentRequest
from telemetry.show.figures import money
from tests.conftest import AgentMaker, Driver, Remember, Stepper
from tests.factories import AgentRequestFactory, AttachmentFactory, SessionFactory, TurnFactory
from tests.pages.test_hostile_text import dangers
from workspaces.models import Workspace

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "\"'><svg onload=alert(1)>",
    "two\nlines \u202e{{ 7 }} {% now %}",
]
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
Send = Callable[..., AgentRequest]


@pytest.fixture
def assistant(make_agent: AgentMaker) -> Agent:
    return make_agent(row={"agent_id": "assistant"}, compaction_token_threshold=0)


@pytest.fixture
def send(workspace: Workspace, assistant: Agent) -> Send:
    def accept(message: str, session_id: str = "talk", **given: Any) -> AgentRequest:
        given = {"agent": assistant, **given}
        return AgentRequestFactory.create(workspace=workspace, session_id=session_id, message=message, **given)

    return accept


def page(client: Client, workspace: Workspace, path: str = "", **query: Any) -> str:
    answer = client.get(f"/w/{workspace.slug}/sessions/{path}", query)
    assert answer.status_code == 200, answer.content[:2000]
    return answer.content.decode()


def test_the_list_says_what_memory_and_requests_know(
    visitor: Client, workspace: Workspace, send: Send, run_requests: Driver, django_assert_max_num_queries: Any
) -> None:
    send("say=hello", user="ada")
    send("fail=400:9")
    run_requests()
    send("say=later", "fresh/one")
    with django_assert_max_num_queries(8):
        html = page(visitor, workspace)
    row = re.sub(r"<[^>]*>|\s+", " ", html.split('<tbody id="rows"')[1].split("</tbody>")[0]).split()
    session = workspace.sessions.get()
    cost = money(workspace.agent_requests.aggregate(total=Sum("cost_usd"))["total"])
    assert row[-8:] == ["assistant", "talk", "say=hello", "ada", "1", str(session.total_tokens), cost, "1"]
    assert f'href="/w/{workspace.slug}/sessions/assistant/talk/"' in html
    assert "Without a turn yet:" in html
    assert f'href="/w/{workspace.slug}/sessions/assistant/fresh/one/"' in html
    run_requests()
    assert "Without a turn yet:" not in page(visitor, workspace)


def test_a_session_that_has_only_failed_is_shown_too(
    visitor: Client, workspace: Workspace, send: Send, run_requests: Driver
) -> None:
    send("fail=400:9", "broken")
    send("say=fine", "whole")
    run_requests()
    html = page(visitor, workspace)
    without_turn = html.split('id="turnless"')[1].split("</div>")[0]
    assert f'href="/w/{workspace.slug}/sessions/assistant/broken/"' in without_turn
    assert "failed" in without_turn
    assert "whole" not in without_turn
    workspace.agent_requests.update(accepted_at=timezone.now() - timedelta(days=9))
    assert "broken" not in page(visitor, workspace)
    assert "broken" in page(visitor, workspace, range="30d")


def test_sessions_are_found_by_what_happened_in_them(
    visitor: Client, workspace: Workspace, send: Send, run_requests: Driver
) -> None:
    for message, session_id in (("say=one", "short"), ("say=one", "long"), ("say=two", "long"), ("fail=400:9", "long")):
        send(message, session_id)
        run_requests()
    send("say=later", "short")

    def shown(**query: str) -> list[str]:
        return re.findall(r'title="(short|long)"', page(visitor, workspace, **query))

    assert sorted(shown()) == ["long", "short"]
    assert shown(turns="2") == shown(has="error") == ["long"]
    assert shown(has="running") == ["short"]
    assert shown(has="interaction") == []
    assert "has: rain is unknown" in page(visitor, workspace, has="rain")
    assert "turns: few is no number" in page(visitor, workspace, turns="few")


def test_the_list_is_filtered_and_says_what_it_does_not_understand(
    visitor: Client, workspace: Workspace, remember: Remember
) -> None:
    remember("one", session_id="red-1", user="ada")
    remember("two", session_id="blue-1", agent_id="other")

    def shown(**query: str) -> list[str]:
        return re.findall(r'title="((?:red|blue)-1)"', page(visitor, workspace, **query))

    assert shown() == ["blue-1", "red-1"]
    assert shown(q="RED") == shown(user="ada") == shown(agent="assistant") == ["red-1"]
    assert shown(q="d-1", agent="other") == []
    nothing = page(visitor, workspace, q="green")
    assert "No session matches" in nothing
    assert f'href="/w/{workspace.slug}/sessions/"' in nothing
    assert "range: 3y is unknown" in page(visitor, workspace, range="3y")
    workspace.sessions.update(last_activity_at=timezone.now() - timedelta(days=9))
    assert "No session in the last 7 days" in page(visitor, workspace)


def test_pages_of_the_list_hold_each_session_once(visitor: Client, workspace: Workspace) -> None:
    same = timezone.now() - timedelta(minutes=1)
    for number in range(120):
        SessionFactory.create(workspace=workspace, session_id=f"s-{number:03d}", last_activity_at=same)
    seen: list[str] = []
    cursor = ""
    while True:
        html = page(visitor, workspace, cursor=cursor)
        seen += re.findall(r'title="(s-\d+)"', html)
        found = re.search(r'cursor=([\d-]+)[^"]*" rel="next"', html)
        if not found:
            break
        cursor = found[1]
    assert seen == [f"s-{number:03d}" for number in range(119, -1, -1)]


def test_a_session_tells_turns_and_what_left_none_in_their_order(
    visitor: Client,
    workspace: Workspace,
    send: Send,
    run_requests: Driver,
    run_once: Stepper,
    django_assert_max_num_queries: Any,
) -> None:
    first = send("say=**bold** <first>")
    failed = send("fail=400:9 <second>")
    third = send("say=third", kind="turn")
    run_requests()
    waiting = send("<fourth>")
    with django_assert_max_num_queries(12):
        html = page(visitor, workspace, "assistant/talk/")
    places = [html.index(f'id="request-{row.pk}"') for row in (first, failed, third, waiting)]
    assert places == sorted(places)
    assert "<strong>bold</strong>" in html
    assert "&lt;second&gt;" in html
    assert "&lt;fourth&gt;" in html
    for row in (first, failed, third, waiting):
        assert f'href="/w/{workspace.slug}/requests/{row.request_id}/"' in html
    assert 'class="status failed"' in html
    assert 'class="status accepted"' in html
    assert "(1 failed)" in html
    assert f'href="/w/{workspace.slug}/chat/assistant/talk/"' in html


def test_a_session_whose_first_request_runs_has_a_page(visitor: Client, workspace: Workspace, send: Send) -> None:
    send("wait for it", "odd id/with ?#% signs")
    html = page(visitor, workspace, f"assistant/{quote('odd id/with ?#% signs')}/")
    assert "wait for it" in html
    assert "odd id/with ?#% signs" in html


def test_earlier_turns_come_in_slices(
    visitor: Client, workspace: Workspace, assistant: Agent, remember: Remember
) -> None:
    began = timezone.now() - timedelta(hours=2)
    for number in range(45):
        remember(f"question {number:02d}.", created_at=began + timedelta(minutes=number))
    seen, path = [], f"/w/{workspace.slug}/sessions/assistant/talk/"
    html = visitor.get(path).content.decode()
    while True:
        seen.append(re.findall(r"question (\d\d)\.", html))
        found = re.search(r'hx-get="([^"]+\?before=\d+)"\s+hx-target="#earlier"', html)
        if not found:
            break
        whole = visitor.get(found[1]).content.decode()
        html = visitor.get(found[1], headers={**HTMX, "HX-Target": "li#earlier"}).content.decode()
        assert "<html" not in html
        assert html.strip().startswith('<li id="earlier">')
        assert re.findall(r"question (\d\d)\.", whole) == re.findall(r"question (\d\d)\.", html)
    assert [len(part) for part in seen] == [20, 20, 5]
    assert [number for part in reversed(seen) for number in part] == [f"{number:02d}" for number in range(45)]


def test_what_left_no_turn_is_in_one_slice_only(
    visitor: Client, workspace: Workspace, assistant: Agent, remember: Remember, send: Send
) -> None:
    began = timezone.now() - timedelta(hours=2)
    for number in range(25):
        remember(f"question {number:02d}.", created_at=began + timedelta(minutes=number))
    for minutes, words in ((2.5, "early"), (12.5, "late"), (90, "newest")):
        at = began + timedelta(minutes=minutes)
        send(f"failed {words}", status="failed", reason="error", error={"error": "No."}, accepted_at=at, finished_at=at)
    newest = page(visitor, workspace, "assistant/talk/")
    before = re.search(r"before=(\d+)", newest)[1]
    earlier = page(visitor, workspace, "assistant/talk/", before=before)
    assert re.findall(r"failed (\w+)", newest) == ["late", "newest"]
    assert re.findall(r"failed (\w+)", earlier) == ["early"]
    order = re.findall(r"question (\d\d)\.|failed (early)", earlier)
    assert [number or word for number, word in order] == ["00", "01", "02", "early", "03", "04"]


def test_a_summary_a_fork_and_a_subagent_stand_where_they_belong(
    visitor: Client, workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(
        row={"agent_id": "research"}, display_name="Research", description="d", capabilities=["c"], usage_guidance="g"
    )
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    calls = json.dumps([{"agent_id": "research", "prompt": "say=found"}])
    parent = AgentRequestFactory.create(
        workspace=workspace,
        agent=primary,
        session_id="s-1",
        message=f"tools=1 calls=1 tool=InvokeSubagent args={calls} say=done",
    )
    run_requests()
    child = parent.children.get()
    html = page(visitor, workspace, "primary/s-1/")
    nested = f"/w/{workspace.slug}/sessions/research/{child.session_id}/"
    assert f'href="{nested}"' in html
    assert f'href="/w/{workspace.slug}/requests/{child.request_id}/"' in html
    assert f'href="/w/{workspace.slug}/sessions/primary/s-1/"' in visitor.get(nested).content.decode()

    path = f"/w/{workspace.slug}/sessions/primary/s-1/"
    assert visitor.post(path, {"action": "compact"}).status_code == 302
    run_requests()
    summed = visitor.get(path).content.decode()
    assert "Summary: from here on the model sees this" in summed
    assert 'class="turn summary"' in summed
    forked = visitor.post(path, {"action": "fork", "session_id": "branch"})
    assert forked["Location"] == f"/w/{workspace.slug}/sessions/primary/branch/"
    fork = page(visitor, workspace, "primary/branch/")
    assert f'href="/w/{workspace.slug}/requests/{parent.request_id}/"' in fork
    assert "a copy of 2 turns" in fork


def test_erasing_says_what_goes_and_asks_first(
    visitor: Client, workspace: Workspace, send: Send, run_requests: Driver
) -> None:
    send("say=secret")
    path = f"/w/{workspace.slug}/sessions/assistant/talk/"
    blocked = visitor.get(path, {"confirm": "erase"}).content.decode()
    assert "has not ended" in blocked
    assert visitor.post(path, {"action": "erase"}).status_code == 409
    run_requests()
    asked = " ".join(re.sub(r"<[^>]*>", "", visitor.get(path, {"confirm": "erase"}).content.decode()).split())
    assert "This deletes 1 turn" in asked
    events = workspace.events.count()
    assert f"1 request with the {events} events of their log" in asked
    assert workspace.turns.count() == 1
    done = visitor.post(path, {"action": "erase"}, follow=True).content.decode()
    assert "Erased: 1 sessions, 1 turns" in done
    assert not workspace.turns.exists()
    left = visitor.get(path).content.decode()
    assert "has been erased" in left
    assert "secret" not in left


def test_who_may_only_look_changes_nothing(
    viewer: Client, workspace: Workspace, assistant: Agent, remember: Remember
) -> None:
    remember("hello")
    html = page(viewer, workspace, "assistant/talk/")
    assert "Fork" not in html
    assert "Erase" not in html
    assert "Continue in chat" not in html
    path = f"/w/{workspace.slug}/sessions/assistant/talk/"
    for action in ("fork", "compact", "erase"):
        assert viewer.post(path, {"action": action}).status_code == 403
    assert viewer.get(path, {"confirm": "erase"}).status_code == 403
    assert workspace.turns.count() == 1
    assert workspace.sessions.count() == 1
    assert not workspace.agent_requests.exists()


@pytest.mark.parametrize("query", ["", "?confirm=erase", "?before=1"])
def test_a_stranger_finds_nothing(
    visitor: Client, stranger: Client, workspace: Workspace, other_workspace: Workspace, query: str
) -> None:
    session = SessionFactory.create(workspace=other_workspace, agent_id="secret", session_id="their-session")
    TurnFactory.create(workspace=other_workspace, session=session, user_message="their words")
    file = AttachmentFactory.create(workspace=other_workspace)
    for path in (f"sessions/secret/their-session/{query}", f"attachments/{file.attachment_id}/"):
        answer = visitor.get(f"/w/{workspace.slug}/{path}")
        assert answer.status_code == 404
        assert b"their words" not in answer.content
        assert visitor.get(f"/w/{other_workspace.slug}/{path}").status_code == 404
        assert stranger.get(f"/w/{workspace.slug}/{path}").status_code == 404
    assert "their-session" not in page(visitor, workspace)
    assert visitor.post(f"/w/{workspace.slug}/sessions/secret/their-session/", {"action": "erase"}).status_code == 404
    assert other_workspace.turns.exists()


def test_an_attachment_is_handed_out_like_the_api_does(
    visitor: Client, workspace: Workspace, assistant: Agent, remember: Remember
) -> None:
    file = AttachmentFactory.create(workspace=workspace)
    about = {"attachment_id": str(file.attachment_id), "name": "<dot>.png", "media_type": "image/png", "size": 70}
    remember("look", metadata={"attachments": [about]})
    html = page(visitor, workspace, "assistant/talk/")
    url = f"/w/{workspace.slug}/attachments/{file.attachment_id}/"
    assert f'href="{url}?name=%3Cdot%3E.png"' in html
    answer = visitor.get(url, {"name": "dot.png"})
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == 'attachment; filename="dot.png"'
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_and_can_do_nothing(
    visitor: Client, workspace: Workspace, assistant: Agent, remember: Remember, text: str
) -> None:
    session_id = f"{text} {uuid.uuid4()}"
    remember(text, text, session_id=session_id, user=text, signals={text: [text]})
    for html in (page(visitor, workspace), page(visitor, workspace, f"assistant/{quote(session_id)}/")):
        main = html.split("<main")[1].split("</main>")[0]
        assert "<script" not in main
        assert "<img" not in main
        assert not re.findall(r'href="(?!/|\?|https://evil\.example/x\.png")', main), "Links lead into the workspace."
        for prose in re.findall(r'<div class="prose" dir="auto">(.*?)</div>', main, re.DOTALL):
            assert not dangers(prose)
