import io
import threading

import pytest

from runtime.client import MashClient
from runtime.repl.askers import PipeAsker
from runtime.repl.command import Leave
from runtime.repl.conversation import Conversation, NoSuchAgent
from runtime.repl.desk import Desk
from runtime.repl.screen import Screen
from runtime.repl.shell import Shell
from runtime.repl.view import Outcome
from tests.runtime.repl.fake_host import REQUEST_ID, FakeHost, Playback
from tests.runtime.repl.recordings import TOOL_TURN, frames

DERIVED = "subagent:research:ab1a49c3c907282c7c1ea448"


@pytest.fixture
def shell(client: MashClient) -> Shell:
    screen = Screen(io.StringIO())
    screen.console.width = 100
    conversation = Conversation.open(client, agent_id="", session_id="s-1")
    return Shell(Desk(screen=screen, conversation=conversation, asker=PipeAsker(screen)))


def shown(shell: Shell) -> str:
    stream = shell.desk.screen.console.file
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_a_message_is_sent_and_its_answer_shown(host: FakeHost, shell: Shell):
    host.streams = [Playback(frames(TOOL_TURN))]
    assert shell.handle("what is here?") is Outcome.ANSWERED
    assert host.of("POST", "/request")[0].body == {"message": "what is here?", "session_id": "s-1"}
    assert "There are two files." in shown(shell)


def test_a_cut_stream_shows_each_line_once(host: FakeHost, shell: Shell):
    host.streams = [Playback(frames(TOOL_TURN[:4]), is_cut=True), Playback(frames(TOOL_TURN[4:], first=5))]
    assert shell.handle("what is here?") is Outcome.ANSWERED
    assert shown(shell).count("Step 1") == shown(shell).count("There are two files.") == 1


def test_without_a_name_the_talk_is_with_the_primary_agent_in_a_new_session(client: MashClient):
    first, second = (Conversation.open(client, agent_id="", session_id="") for _ in range(2))
    assert first.agent_id == "primary"
    assert first.session_id != second.session_id


def test_opening_with_an_unknown_agent_names_the_known_ones(client: MashClient):
    with pytest.raises(NoSuchAgent, match="primary, research"):
        Conversation.open(client, agent_id="nobody", session_id="")


@pytest.mark.appendix_a("A33")
def test_use_leads_to_the_derived_session_and_back(shell: Shell):
    assert shell.handle("/use research") is Outcome.ANSWERED
    assert (shell.desk.conversation.agent_id, shell.desk.conversation.session_id) == ("research", DERIVED)
    shell.handle("/use primary")
    assert shell.desk.conversation.session_id == "s-1"
    shell.desk.conversation.session_id = "s-2"
    shell.handle("/use research")
    assert shell.desk.conversation.session_id == DERIVED, "the session used before with it wins"


def test_use_of_an_unknown_agent_warns_and_stays(shell: Shell):
    assert shell.handle("/use nobody") is Outcome.FAILED
    assert "There is no agent 'nobody'. This workspace has: primary, research." in shown(shell)
    assert shell.desk.conversation.agent_id == "primary"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/help", ["/history [limit]", "/quit, /q", "| /use <agent_id>"]),
        ("/?", ["/sessions"]),
        ("/HELP", ["/sessions"]),
        ("/status", ["Deployment:    http://127.0.0.1", "Primary agent: primary", "Session:       s-1"]),
        ("/agents", ["| research | subagent |"]),
        ("/session", ["Model:          gpt-5-mini", "Max steps:      30", "Session tokens: 8,123"]),
        ("/sessions", ["| s-1        | 4     | 8,123  |"]),
        ("/history", ["1 turn in session s-1", "--- Turn 1 ---", "You: hi", "primary: hello"]),
        ("/history 5", ["--- Turn 1 ---"]),
        ("/history x", ["Usage: /history [limit]"]),
        ("/history 1 2", ["Usage: /history [limit]"]),
        ("/use", ["Usage: /use <agent_id>"]),
        ("/compact", ["They spoke of tea."]),
        ("/fork", ["Left session s-1.", "Now in session s-fork with 1 turn."]),
        ("/fork 1", ["Now in session s-fork"]),
        ("/fork 2", ["This session has 1 turn;"]),
        ("/erase", ["/erase yes erases all that was said in session s-1, for good."]),
        ("/erase yes", ["| turns  | 4      |", "| events | 1,234  |"]),
        ("/search", ["Usage: /search <query>"]),
        ("/search @user: the invoice", ["| 0.50  | s-1     | 0d5e | the invoice |"]),
        ("/signals 3", ["unused_tools: Tools that were offered in vain.", '| 0d5e | {"unused_tools": ["bash"]} |']),
        ("/signals x", ["Usage: /signals [limit]"]),
        ("/trace", ["-> Step 1: Calling tools: bash (930 tokens)", "   $ ls", "completed: 1 step, 1 tool, 930"]),
        ("/workflow", ["Usage: /workflow list; /workflow run <workflow_id>"]),
        ("/workflow list", ["| nightly     | fetch -> fetcher, sum -> code |"]),
        ("/workflow run", ["Usage: /workflow run <workflow_id> [dedup_key] [--input JSON_OBJECT]"]),
        ("/workflow run nightly --input [1]", ["where the input is a JSON"]),
        ("/workflow run nightly key --input '{\"a b\":  1}'", ["run_id: mw:h:nightly:1", "status: queued"]),
        ("/workflow runs nightly", ["| mw:h:nightly:1 | failed | schedule | the step broke |"]),
        (
            "/workflow status nightly mw:h:nightly:1",
            ["| status      | failed         |", "| dedup_key   | -              |"],
        ),
        ("/workflow cancel nightly mw:h:nightly:1", ["Run mw:h:nightly:1 is cancelled."]),
        ("/workflow resume nightly", ["Usage: /workflow resume <workflow_id> <run_id>"]),
        ("/nonsense", ["There is no command /nonsense. /help lists them."]),
        ("/", ["/help lists them."]),
    ],
)
def test_commands_show_what_they_promise(host: FakeHost, shell: Shell, line: str, expected: list[str]):
    host.turns = [{"turn_id": "0d5e", "user_message": "hi", "agent_response": "hello"}]
    shell.handle(line)
    for piece in expected:
        assert piece in shown(shell)


def test_help_lists_the_commands_by_name(shell: Shell):
    shell.handle("/help")
    names = [line.split()[1] for line in shown(shell).splitlines() if line.startswith("| /")]
    assert names == sorted(names)


def test_commands_about_memory_say_what_they_were_told(host: FakeHost, shell: Shell):
    host.turns = [{"turn_id": "0d5e"}, {"turn_id": "1e6f"}]
    for line in ("/search @user: the invoice", "/fork 2", "/erase yes"):
        shell.handle(line)
    assert "q=%40user%3A+the+invoice" in host.of("GET", "/search")[0].path
    assert host.of("POST", "/fork")[0].body == {"after_turn_id": "1e6f"}
    erased = [seen.path for seen in host.seen if seen.method == "DELETE"]
    assert erased == ["/api/v1/agent/primary/sessions/s-fork"], "After a fork, the talk is in the copy."


@pytest.mark.parametrize("line", ["/exit", "/quit", "/q", "/Q"])
def test_exit_leaves(shell: Shell, line: str):
    with pytest.raises(Leave):
        shell.handle(line)


def test_a_refused_call_is_shown_with_advice_and_the_shell_lives(host: FakeHost, shell: Shell):
    with MashClient(host.url, "revoked") as refused:
        shell.desk.conversation.client = refused
        assert shell.handle("/sessions") is Outcome.FAILED
        assert shell.handle("hello") is Outcome.FAILED
    assert "401 UNAUTHORIZED" in shown(shell)
    assert "Check the key" in shown(shell)


def test_after_an_interrupted_watch_the_next_message_is_answered(host: FakeHost, shell: Shell):
    hold = threading.Event()
    host.streams = [Playback(frames(TOOL_TURN[:2]), hold=hold), Playback(frames(TOOL_TURN))]
    stream = shell.desk.conversation.client.stream_request("primary", REQUEST_ID)
    next(stream)
    stream.close()
    assert shell.handle("hello again") is Outcome.ANSWERED
    hold.set()
