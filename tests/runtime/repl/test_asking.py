"""Questions of a running request, asked at a terminal that is typed into, over real HTTP."""

import io
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from typing_extensions import override

from runtime.client import MashClient
from runtime.repl.askers import TerminalAsker
from runtime.repl.conversation import Conversation
from runtime.repl.desk import Desk
from runtime.repl.prompt import AnswerPrompt
from runtime.repl.screen import Screen
from runtime.repl.shell import Shell
from runtime.repl.view import Outcome
from tests.runtime.repl.fake_host import REQUEST_ID, RERUN_ID, FakeHost, Playback
from tests.runtime.repl.recordings import COMMON, Event, asking, completed, frames, mirror, settled

CREATE, ACK = "request.interaction.create", "request.interaction.ack"
CHILD_ID = "77aa0000-0000-4000-8000-000000000001"
CTRL_C, CTRL_D = "\x03", "\x04"


class _Soon(threading.Event):
    """Comes by itself, when the prompt has had time to open."""

    @override
    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(0.4)


SOON = _Soon()


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as opened:
        yield opened


@pytest.fixture
def shell(client: MashClient, keyboard: PipeInput) -> Shell:
    screen = Screen(io.StringIO())
    screen.console.width = 120
    conversation = Conversation.open(client, agent_id="", session_id="s-1")
    asker = TerminalAsker(screen, AnswerPrompt(keyboard=keyboard, display=DummyOutput()))
    return Shell(Desk(screen=screen, conversation=conversation, asker=asker))


def shown(shell: Shell) -> str:
    stream = shell.desk.screen.console.file
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def answered(host: FakeHost) -> list[Any]:
    return [seen.body["response"] for seen in host.of("POST", "/interaction")]


def until_answered(host: FakeHost, *questions: Event) -> Playback:
    rest = frames([(ACK, settled("approve")), completed("done")], first=len(questions) + 1)
    return Playback(frames(list(questions)), hold=host.answered, rest=rest)


@pytest.mark.parametrize(
    ("line", "response"),
    [
        ("y\r", {"decision": "approve", "note": ""}),
        ("n too dear\r", {"decision": "deny", "note": "too dear"}),
        ("\r", {"decision": "deny", "note": ""}),
    ],
)
def test_an_approval_is_asked_and_the_request_goes_on(
    host: FakeHost, shell: Shell, keyboard: PipeInput, line: str, response: Any
):
    host.streams = [until_answered(host, (CREATE, asking()))]
    keyboard.send_text(line)
    assert shell.handle("hello") is Outcome.ANSWERED
    assert answered(host) == [response]
    assert "primary wants to run guarded." in shown(shell)
    assert "done" in shown(shell)


def test_wrong_answers_are_asked_again_also_when_the_server_says_so(host: FakeHost, shell: Shell, keyboard: PipeInput):
    host.refusals = [(422, "ILLEGAL_ANSWER")]
    host.streams = [until_answered(host, (CREATE, asking("choice", options=["tea", "coffee"])))]
    keyboard.send_text("3\r1\r1,2\r")
    assert shell.handle("hello") is Outcome.ANSWERED
    assert answered(host) == [["tea"], ["tea", "coffee"]]
    assert "'3' is none of the options." in shown(shell)
    assert "Choose one or more of: tea, coffee." in shown(shell)


def test_a_subagents_question_is_answered_at_the_subagents_request(host: FakeHost, shell: Shell, keyboard: PipeInput):
    question = asking("info", agent_id="research", request_id=CHILD_ID)
    host.streams = [until_answered(host, mirror(CREATE, question))]
    keyboard.send_text("Ada\r")
    assert shell.handle("hello") is Outcome.ANSWERED
    [seen] = host.of("POST", "/interaction")
    assert seen.path == f"/api/v1/agent/research/request/{CHILD_ID}/interaction"
    assert seen.body == {"interaction_id": "itr_1", "response": "Ada"}
    assert "research asks: Your name?" in shown(shell)


@pytest.mark.parametrize(
    "settlement",
    [
        [(ACK, settled("approve")), completed("done")],
        [mirror(ACK, settled("approve")), completed("done")],
        [(ACK, settled("deny", state="expired", by=None)), completed("done")],
    ],
    ids=["answered", "of a subagent", "expired"],
)
def test_a_prompt_ends_when_somebody_else_settles_the_question(host: FakeHost, shell: Shell, settlement: list[Event]):
    host.streams = [Playback(frames([(CREATE, asking())]), hold=SOON, rest=frames(settlement, first=2))]
    assert shell.handle("hello") is Outcome.ANSWERED
    assert answered(host) == []
    assert "Settled elsewhere" in shown(shell)


def test_a_prompt_ends_with_the_request_that_asks(host: FakeHost, shell: Shell):
    ended = mirror("request.cancelled", {**COMMON, "request_id": CHILD_ID, "reason": "cancelled"})
    events = [mirror(CREATE, asking(request_id=CHILD_ID))]
    host.streams = [Playback(frames(events), hold=SOON, rest=frames([ended, completed("done")], first=2))]
    assert shell.handle("hello") is Outcome.ANSWERED
    assert answered(host) == []


@pytest.mark.parametrize("code", ["INTERACTION_ANSWERED", "INTERACTION_EXPIRED"])
def test_an_answer_that_comes_too_late_does_no_harm(host: FakeHost, shell: Shell, keyboard: PipeInput, code: str):
    host.refusals = [(409, code)]
    host.streams = [Playback(frames([(CREATE, asking()), completed("done")]))]
    keyboard.send_text("y\r")
    assert shell.handle("hello") is Outcome.ANSWERED


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_a_question_that_is_left_open_is_answered_from_the_inbox(
    host: FakeHost, shell: Shell, keyboard: PipeInput, key: str
):
    started = ("request.started", COMMON)
    host.streams = [Playback(frames([started, (CREATE, asking())]), hold=host.answered)]
    keyboard.send_text(key)
    assert shell.handle("hello") is Outcome.WAITING
    assert answered(host) == []
    assert f"request {REQUEST_ID} waits for its answer" in shown(shell).replace("\n", " ")

    host.inbox = [asking(), asking("info", interaction_id="itr_2")]
    shell.handle("/inbox")
    assert "| 2   | primary | info     | Your name?" in shown(shell)
    rest = [(CREATE, asking()), (ACK, settled("approve")), completed("at last")]
    host.streams = [Playback(frames(rest, first=2))]
    keyboard.send_text("y\r")
    assert shell.handle("/inbox 1") is Outcome.ANSWERED
    assert answered(host) == [{"decision": "approve", "note": ""}]
    assert host.of("GET", "/events")[-1].headers["last-event-id"] == "1"
    assert "at last" in shown(shell)


@pytest.mark.parametrize("line", ["/inbox 0", "/inbox 3", "/inbox x", "/inbox -1"])
def test_a_number_that_the_inbox_has_not_is_refused(host: FakeHost, shell: Shell, line: str):
    host.inbox = [asking(), asking()]
    assert shell.handle(line) is Outcome.FAILED
    assert "The inbox lists 2." in shown(shell)


def test_an_inbox_that_is_not_shown_whole_says_so(host: FakeHost, shell: Shell):
    host.inbox = [asking()] * 2
    shell.handle("/inbox")
    assert "There are older ones too" not in shown(shell)
    host.inbox = [asking()] * 3
    shell.handle("/inbox")
    assert "There are older ones too" in shown(shell)


def test_an_empty_inbox_says_so(shell: Shell):
    assert shell.handle("/inbox") is Outcome.ANSWERED
    assert "Nobody waits for an answer." in shown(shell)


def test_resuming_goes_on_after_what_was_told(host: FakeHost, shell: Shell):
    host.streams = [Playback(frames([("request.resumed", COMMON), completed("gone on")], first=5))]
    assert shell.handle("/resume") is Outcome.ANSWERED
    assert [seen.path for seen in host.of("POST", "/resume")] == [f"/api/v1/agent/primary/request/{REQUEST_ID}/resume"]
    assert host.of("GET", "/events")[-1].headers["last-event-id"] == "4"
    assert "gone on" in shown(shell)


def test_rerunning_follows_the_new_request(host: FakeHost, shell: Shell):
    host.streams = [Playback(frames([completed("once more")]))]
    assert shell.handle(f"/rerun {REQUEST_ID}") is Outcome.ANSWERED
    assert host.of("GET", "/events")[-1].path.endswith(f"/request/{RERUN_ID}/events")
    assert "once more" in shown(shell)


def test_cancelling_takes_the_newest_request_of_the_session(host: FakeHost, shell: Shell):
    assert shell.handle("/cancel") is Outcome.ANSWERED
    assert host.cancelled.is_set()
    assert host.of("GET", "/requests")[0].path.endswith("?session_id=s-1&limit=1")
    assert f"Request {REQUEST_ID} is running; it ends within two seconds." in shown(shell)


@pytest.mark.parametrize("line", ["/cancel x", "/resume 7", "/rerun ../health"])
def test_what_is_no_request_id_is_refused(host: FakeHost, shell: Shell, line: str):
    assert shell.handle(line) is Outcome.FAILED
    assert f"Usage: {line.split()[0]} [request]" in shown(shell)
    assert not [seen for seen in host.seen if seen.method == "POST"]
