import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.runtime.repl.fake_host import KEY, REQUEST_ID, FakeHost, Playback
from tests.runtime.repl.recordings import COMMON, TOOL_TURN, Event, asking, completed, frames, mirror, settled

# What the management command does, without Django's settings.
PROGRAM = """
import os, sys
from pathlib import Path
from runtime.repl.program import Options, run
sys.exit(run(Options(agent=os.environ.get("AGENT"), approve=os.environ.get("APPROVE")), environment=os.environ, local_file=Path("/nonexistent/local.json")))
"""
ROOT = Path(__file__).resolve().parents[3]
CREATE = "request.interaction.create"
FAILED = [("request.error", {**COMMON, "error": "The model is busy."})]


def start(host: FakeHost, **environment: str) -> subprocess.Popen[str]:
    variables = {**os.environ, "MASH_API_BASE_URL": host.url, "MASH_API_KEY": KEY, "FORCE_COLOR": "1", **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=variables, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def talk(host: FakeHost, text: str, **environment: str) -> tuple[int, str, str]:
    process = start(host, **environment)
    output, notes = process.communicate(text, timeout=30)
    return process.returncode, output, notes


def test_each_line_is_answered_in_one_session_with_plain_text(host: FakeHost):
    host.streams = [Playback(frames(TOOL_TURN)), Playback(frames([completed("[red]two[/red]\x1b[2J")]))]
    code, output, notes = talk(host, "first\n\nsecond\n")
    assert (code, output) == (0, "There are **two** files.\n[red]two[/red]\n")
    assert "Step 1: Calling tools: bash" in notes
    assert "\x1b" not in output + notes
    sent = [seen.body for seen in host.of("POST", "/request")]
    assert [body["message"] for body in sent] == ["first", "second"]
    assert sent[1]["session_id"] == "s-1", "the one that the first answer named"


def test_one_failed_request_makes_the_exit_code_one_and_the_rest_goes_on(host: FakeHost):
    host.streams = [Playback(frames(FAILED)), Playback(frames([completed("fine")]))]
    code, output, notes = talk(host, "first\nsecond\n")
    assert (code, output) == (1, "fine\n")
    assert "The request failed: The model is busy." in notes


def test_the_command_finds_the_deployment_of_this_machine(host: FakeHost, tmp_path: Path):
    host.streams = [Playback(frames([completed("hello")]))]
    (tmp_path / "local.json").write_text(json.dumps({"api_base_url": host.url, "api_key": KEY}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MASH_")}
    finished = subprocess.run(
        [sys.executable, "manage.py", "mash_repl", "--session-id", "s-9"],
        cwd=ROOT,
        env={**environment, "MASH_DATA_DIR": str(tmp_path)},
        input="hi\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (0, "hello\n")
    assert host.of("POST", "/request")[0].body == {"message": "hi", "session_id": "s-9"}


def test_commands_write_beside_the_answers_and_exit_ends(host: FakeHost):
    code, output, notes = talk(host, "/agents\n/exit\nnever sent\n")
    assert (code, output) == (0, "")
    assert "research" in notes
    assert not host.of("POST", "/request")


@pytest.mark.parametrize(
    ("environment", "part"),
    [
        ({"MASH_API_KEY": "wrong"}, "Check the key"),
        ({"AGENT": "nobody"}, "There is no agent 'nobody'. This workspace has: primary, research."),
        ({"MASH_API_BASE_URL": ""}, "make run"),
        ({"MASH_API_BASE_URL": "http://127.0.0.1:9"}, "Is the deployment running?"),
        ({"MASH_API_BASE_URL": "nonsense"}, "not the address"),
    ],
)
def test_without_a_way_to_talk_it_says_what_to_do_and_fails(host: FakeHost, environment: dict[str, str], part: str):
    code, output, notes = talk(host, "hello\n", **environment)
    assert (code, output) == (1, "")
    assert part in notes
    assert "Traceback" not in notes


def interrupted(host: FakeHost, times: int, *streams: Playback) -> tuple[int, str]:
    """Exit code and notes of a pipe that gets this many Ctrl-C while it watches."""
    host.streams = list(streams)
    process = start(host)
    assert process.stdin
    process.stdin.write("hello\nnever sent\n")
    process.stdin.flush()
    assert host.streaming.wait(20)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        assert host.cancelled.wait(20)
    _, notes = process.communicate(timeout=30)
    return process.returncode, notes


def test_an_interrupt_cancels_the_request_and_waits_for_its_end(host: FakeHost):
    cancelled = {**COMMON, "reason": "cancelled", "by": "token:abc"}
    end = frames([("request.cancelled", cancelled)], first=4)
    code, notes = interrupted(host, 1, Playback(frames(TOOL_TURN[:3]), hold=host.cancelled), Playback(end))
    assert code == 130
    assert "Cancelled by token:abc: cancelled" in notes
    assert len(host.of("POST", "/cancel")) == 1
    assert len(host.of("POST", "/request")) == 1


def test_a_second_interrupt_stops_the_watching(host: FakeHost):
    never = threading.Event()
    code, notes = interrupted(host, 2, *(Playback(frames(TOOL_TURN[:3]), hold=never) for _ in range(2)))
    never.set()
    assert code == 130
    assert f"No longer watching request {REQUEST_ID}" in notes


def question_and_rest(host: FakeHost, question: Event) -> Playback:
    rest = frames([("request.interaction.ack", settled("approve")), completed("done")], first=2)
    return Playback(frames([question]), hold=host.answered, rest=rest)


@pytest.mark.parametrize("question", [("request.interaction.create", asking()), mirror(CREATE, asking("info"))])
def test_a_pipe_leaves_a_question_open_and_says_how_to_answer_it(host: FakeHost, question: Event):
    host.streams = [question_and_rest(host, question)]
    code, output, notes = talk(host, "first\nsecond\n")
    assert (code, output) == (3, "")
    assert f"POST /api/v1/agent/primary/request/{REQUEST_ID}/interaction" in notes
    assert '{"interaction_id": "itr_1", "response":' in notes
    assert not host.of("POST", "/interaction")
    assert not host.of("POST", "/cancel")
    assert len(host.of("POST", "/request")) == 1


@pytest.mark.parametrize(("rule", "decision"), [("all", "approve"), ("none", "deny")])
def test_a_rule_decides_approvals(host: FakeHost, rule: str, decision: str):
    host.streams = [question_and_rest(host, ("request.interaction.create", asking()))]
    code, output, notes = talk(host, "first\n", APPROVE=rule)
    assert (code, output) == (0, "done\n")
    assert '"text": "precious"' in notes
    assert [seen.body for seen in host.of("POST", "/interaction")] == [
        {"interaction_id": "itr_1", "response": decision}
    ]


def test_a_rule_answers_no_other_question(host: FakeHost):
    host.streams = [question_and_rest(host, ("request.interaction.create", asking("choice", options=["tea"])))]
    assert talk(host, "first\n", APPROVE="all")[0] == 3
    assert not host.of("POST", "/interaction")


def test_a_reader_that_has_gone_is_no_crash(host: FakeHost):
    host.streams = [Playback(frames([completed("x" * 200_000)]))]
    process = start(host)
    assert process.stdin
    assert process.stdout
    process.stdout.close()
    process.stdin.write("hello\n")
    process.stdin.close()
    assert process.wait(30) == 1
    assert process.stderr
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
