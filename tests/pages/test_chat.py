"""Talking to agents on a page: what is sent becomes a request like any other, and its log becomes a conversation."""

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.models import Agent
from runtime.cancel import cancel_request
from runtime.models import AgentRequest
from telemetry.show.conversation import conversation_of
from telemetry.show.speech import Speech, finished
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory
from tests.samples import PNG
from tests.web import Web
from workspaces.models import User, Workspace

HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) ![t](https://evil.example/x.png)"


@pytest.fixture
def agent(make_agent: AgentMaker) -> Agent:
    make_agent(row={"agent_id": "research"}, description="Finds things.")
    tools = ("echo", "explode", "guarded", "AskUser")
    return make_agent(row={"agent_id": "talker", "role": Agent.Role.PRIMARY}, tools=tools, model_attempts=2)


def send(client: Client, workspace: Workspace, message: str, talk: str = "", **more: Any) -> Any:
    path = f"/w/{workspace.slug}/chat/talker/{talk}/" if talk else f"/w/{workspace.slug}/chat/talker/"
    return client.post(path, {"message": message, **more})


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def parts(agent_request: AgentRequest) -> list[tuple[str, str]]:
    """Kind and words of each part of the conversation."""
    agent_request.refresh_from_db()
    return [(part.kind, part.verdict or part.text) for part in conversation_of(agent_request).parts.values()]


def test_a_message_begins_a_session_and_its_answer_is_shown(
    visitor: Client,
    owner: User,
    workspace: Workspace,
    agent: Agent,
    run_requests: Driver,
    django_assert_max_num_queries: Any,
) -> None:
    assert visitor.get(f"/w/{workspace.slug}/chat/")["Location"] == f"/w/{workspace.slug}/chat/talker/"
    chosen = visitor.get(f"/w/{workspace.slug}/chat/?agent=research")
    assert chosen["Location"] == f"/w/{workspace.slug}/chat/research/"
    went = send(visitor, workspace, 'tools=1 tool=echo args={"text": "pong"} say="it is **done**"')
    assert re.fullmatch(rf"/w/{workspace.slug}/chat/talker/chat-[0-9a-f]{{8}}/", went["Location"])
    assert "Stop" in page(visitor, went["Location"])
    run_requests()
    for session in ("other", "another"):
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id=session)
    with django_assert_max_num_queries(12):
        html = page(visitor, went["Location"])
    for piece in ("<strong>done</strong>", "text=pong", "completed", "Open trace", "data-copy="):
        assert piece in html
    assert ">Stop<" not in html
    assert workspace.agent_requests.order_by("pk")[0].created_by == owner.username


def test_a_form_that_is_sent_twice_is_one_message(visitor: Client, workspace: Workspace, agent: Agent) -> None:
    for _ in range(2):
        went = send(visitor, workspace, "say=once", key="abc", session="chat-0123abcd")
        assert went["Location"].endswith("/chat-0123abcd/")
        send(visitor, workspace, "say=once", "mine", key="one")
    assert sorted(workspace.agent_requests.values_list("session_id", flat=True)) == ["chat-0123abcd", "mine"]


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(visitor: Client, workspace: Workspace, agent: Agent) -> None:
    text = SimpleUploadedFile("a.txt", b"just text")
    refused = send(visitor, workspace, "look & see", "mine", files=[text])
    assert refused.status_code == 422
    html = refused.content.decode()
    assert "a.txt is neither an image" in html
    assert "look &amp; see</textarea>" in html
    assert not workspace.agent_requests.exists()
    assert send(visitor, workspace, "   ").status_code == 400


def test_a_file_comes_along_and_is_handed_back(
    visitor: Client, stranger: Client, workspace: Workspace, agent: Agent, other_workspace: Workspace
) -> None:
    went = send(visitor, workspace, "say=seen", "mine", files=[SimpleUploadedFile("dot.png", PNG)])
    html = page(visitor, went["Location"])
    [path] = re.findall(r'href="(/w/[^"]*/attachments/[^"]*)"', html)
    got = visitor.get(path)
    assert (got.status_code, b"".join(got) if got.streaming else got.content) == (200, PNG)
    assert stranger.get(path.replace(workspace.slug, other_workspace.slug)).status_code == 404


def test_a_second_message_is_queued_and_both_are_stopped(
    visitor: Client, workspace: Workspace, agent: Agent, run_once: Stepper
) -> None:
    for words in ("tools=1 tool=guarded say=first", "say=second"):
        went = send(visitor, workspace, words, "mine")
    first, second = workspace.agent_requests.order_by("pk")
    run_once(first)
    html = page(visitor, went["Location"])
    assert "2 messages are under way" in html
    assert f'hx-trigger="end from:#exchange-{first.pk}"' in html
    assert 'value="approve"' in html
    for row in (second, first):
        stopped = visitor.post(f"/w/{workspace.slug}/chat/stop/{row.request_id}/")
        assert stopped["Location"] == f"/w/{workspace.slug}/chat/talker/mine/"
        row.refresh_from_db()
        assert row.status == "cancelled"
    assert "ended before anybody answered" in page(visitor, went["Location"])


def test_earlier_messages_are_a_link_away(visitor: Client, workspace: Workspace, agent: Agent) -> None:
    for number in range(22):
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="long", message=f"number {number}.")
    address = f"/w/{workspace.slug}/chat/talker/long/"
    html = page(visitor, address)
    assert "number 2." in html
    assert "number 1." not in html.split('id="transcript"')[1]
    before = re.findall(r"\?before=(\d+)", html)[0]
    earlier = page(visitor, f"{address}?before={before}")
    assert "number 1." in earlier
    assert "Newest messages" in earlier


def test_a_viewer_does_not_chat_and_strangers_find_nothing(
    viewer: Client, stranger: Client, visitor: Client, workspace: Workspace, agent: Agent
) -> None:
    sent = AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="mine")
    for path in ("chat/", "chat/talker/", "chat/talker/mine/"):
        assert viewer.get(f"/w/{workspace.slug}/{path}").status_code == 403
        assert stranger.get(f"/w/{workspace.slug}/{path}").status_code == 404
    assert stranger.post(f"/w/{workspace.slug}/chat/stop/{sent.request_id}/").status_code == 404
    assert visitor.get(f"/w/{workspace.slug}/chat/nobody/").status_code == 404


def test_hostile_words_do_nothing(visitor: Client, workspace: Workspace, agent: Agent, run_requests: Driver) -> None:
    arguments = json.dumps({"text": HOSTILE})
    went = send(visitor, workspace, f'tools=1 tool=echo args={arguments} say="{HOSTILE}"', "mine")
    run_requests()
    html = page(visitor, went["Location"])
    for piece in ("<script>alert", 'href="javascript', "<img"):
        assert piece not in html
    assert "&lt;script&gt;" in html


def test_a_log_becomes_a_conversation(
    agent: Agent, workspace: Workspace, run_once: Stepper, run_requests: Driver
) -> None:
    def ask(message: str) -> AgentRequest:
        return AgentRequestFactory.create(workspace=workspace, agent=agent, message=message)

    failing = ask("tools=1 tool=explode say=survived")
    broken = ask("fail=400:9")
    retried = ask("fail=529:1 say=second")
    delegated = ask('tools=1 tool=InvokeSubagent args={"agent_id": "research", "prompt": "say=found"} say=told')
    run_requests()
    exploded = next(part for part in conversation_of(_fresh(failing)).parts.values() if part.kind == "tool")
    assert (exploded.name, exploded.is_error, exploded.is_open) == ("explode", True, False)
    assert parts(failing)[-1] == ("answer", "survived")
    assert parts(broken)[-1][0] == "error"
    assert [kind for kind, _ in parts(retried)] == ["user", "note", "answer"]
    handed = next(part for part in conversation_of(_fresh(delegated)).parts.values() if part.kind == "tool")
    assert handed.child == str(delegated.children.get().request_id)
    asked = ask('tools=1 tool=AskUser args={"question": "Which?", "options": ["a"]} say=never')
    run_once(asked)
    assert parts(asked)[-1] == ("question", "Which?")
    cancel_request(asked, reason="cancelled", by="ada")
    assert parts(asked)[-2:] == [
        ("question", "The request ended before anybody answered"),
        ("note", "Stopped by ada."),
    ]


def _fresh(agent_request: AgentRequest) -> AgentRequest:
    agent_request.refresh_from_db()
    return agent_request


def test_a_stream_sends_what_the_page_lacks_and_no_more(
    visitor: Client, stranger: Client, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    sent = AgentRequestFactory.create(workspace=workspace, agent=agent, message="tools=1 tool=echo say=done")
    run_requests()
    sent.refresh_from_db()
    path = f"/w/{workspace.slug}/chat/requests/{sent.request_id}/stream?after=1"
    whole = Web().get(path, headers=_cookie(visitor)).body.decode()
    for piece in ("by-tool", "<p>done</p>", f"id: {sent.last_sequence}\n", "event: end\n"):
        assert piece in whole
    assert "by-user" not in whole
    again = Web().get(path, headers={**_cookie(visitor), "Last-Event-ID": str(sent.last_sequence)}).body.decode()
    assert "by-tool" not in again
    assert "event: end\n" in again
    assert Web().get(path, headers=_cookie(stranger)).status == 404
    assert Web().get(path).status == 401


def _cookie(client: Client) -> dict[str, str]:
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}


def test_speech_is_shown_block_by_block() -> None:
    assert finished("one\ntwo") == 0
    assert finished("one\n\ntwo") == len("one\n\n")
    assert finished("```\na\n\nb\n") == 0
    assert finished("```\na\n\nb\n```\nc") == len("```\na\n\nb\n```\n")
    speech = Speech()
    assert speech.take("He").tail == "He"
    told = speech.take("llo\n\nWor")
    assert (told.blocks, told.tail, told.is_whole_tail) == ("Hello\n\n", "Wor", True)
    assert speech.take("ld").is_whole_tail is False
