import contextlib
import io
from typing import Any

import pytest
from rich.console import Console

from runtime.client import RequestEvent
from runtime.repl.screen import PipeScreen, Screen
from runtime.repl.view import Outcome, RequestView
from tests.runtime.repl.recordings import COMMON, TOOL_TURN, Event, asking, completed, mirror, settled, think, trace


def watch(events: list[Event]) -> tuple[str, RequestView]:
    """What a terminal shows of the events."""
    stream = io.StringIO()
    screen = Screen(stream)
    screen.console.width = 100
    view = RequestView(screen, "primary")
    for name, data in events:
        view.take(RequestEvent(name=name, data=data, sequence=None))
    view.close()
    return stream.getvalue(), view


def test_a_tool_turn_is_told_step_by_step():
    shown, view = watch(TOOL_TURN)
    lines = [line.rstrip() for line in shown.splitlines()]
    assert lines[:5] == [
        "primary: execution started",
        "-> Step 1: Calling tools: bash (1,030 tokens), 1,200 ms",
        "Let me look",
        "   $ ls",
        "   1 tool, 45 ms",
    ]
    assert lines[5] == "-> Step 2: Generating response (1,030 tokens), 300 ms"
    assert lines[-1] == "primary: 2 steps, 1 tool, 2,060 tokens, 1,550 ms"
    assert view.outcome is Outcome.ANSWERED


def test_an_answer_that_was_shown_early_is_shown_once_and_in_an_ascii_box():
    shown, _ = watch(TOOL_TURN)
    assert shown.count("There are two files.") == 1
    box = [line for line in shown.splitlines() if line.startswith(("+", "|"))]
    assert "Assistant" in box[0]
    assert shown.isascii()


def test_the_text_of_the_last_step_is_shown_once():
    shown, _ = watch([("agent.trace", think("finish", "All done", [])), completed("All done")])
    assert shown.count("All done") == 1


def test_a_final_answer_that_differs_is_shown_too():
    shown, _ = watch([("agent.trace", think("response", "Draft", [])), completed("Final")])
    assert "Draft" in shown
    assert "Final" in shown


def test_a_subagent_is_told_under_its_own_label_whichever_way_its_events_lie():
    for is_nested in (False, True):
        events = [
            mirror("request.started", {}, is_nested=is_nested),
            mirror("agent.trace", think("response", "Found it", []), is_nested=is_nested),
            mirror("request.completed", {}, is_nested=is_nested),
            completed("ok"),
        ]
        shown, _ = watch(events)
        for line in (
            "Subagent research: started",
            "Subagent research: execution started",
            "Found it",
            "Subagent research: 1 step, 0 tools, 1,030 tokens, 1,200 ms",
            "Subagent research: completed",
        ):
            assert line in shown


def test_a_failed_subagent_says_why():
    shown, _ = watch([mirror("request.error", {"error": "too slow"}), completed("ok")])
    assert "Subagent research: too slow" in shown


def test_waiting_pausing_resuming_and_retries_are_one_line_each():
    retry = trace("runtime.llm.retry", {"attempt": 1, "delay_s": 1.5, "code": "rate_limited"})
    events: list[Event] = [
        ("request.waiting", {**COMMON, "reason": "session_busy", "position": 2}),
        ("request.paused", {**COMMON, "reason": "interaction"}),
        ("request.resumed", {**COMMON, "attempt": 2}),
        ("agent.trace", retry),
        completed("ok"),
    ]
    shown, _ = watch(events)
    assert shown.splitlines()[:4] == [
        "Waiting: an earlier request of this session is still running, position 2",
        "Paused: a person has to answer",
        "Resumed",
        "primary: model call 1 failed (rate_limited), again in 1.5 s",
    ]


def test_a_cancelled_request_is_not_answered():
    shown, view = watch([("request.cancelled", {**COMMON, "reason": "superseded", "by": "alice"})])
    assert "Cancelled by alice: superseded" in shown
    assert view.outcome is Outcome.FAILED


def test_a_failed_request_says_why_and_whether_to_try_again():
    error = {**COMMON, "error": "The model is busy.", "error_code": "rate_limited", "retryable": True}
    shown, view = watch([("request.error", error)])
    assert "The request failed: The model is busy. [rate_limited]" in shown
    assert "sent again" in shown
    assert view.outcome is Outcome.FAILED


def test_a_stream_without_an_end_is_an_error():
    shown, view = watch(TOOL_TURN[:3])
    assert "The stream ended before the request did." in shown
    assert view.outcome is Outcome.FAILED


def test_a_failed_tool_is_named():
    failed = trace("runtime.tool.call.completed", {"tool_name": "bash", "duration_ms": 9, "result": {"is_error": True}})
    shown, _ = watch([("agent.trace", failed), completed("ok")])
    assert "1 tool, 9 ms, bash reported an error" in shown


HOSTILE = (
    "\x1b]0;owned\x07[bold]not bold[/bold] :smile: &#x202e;exe [click](http://evil.example) ![x](http://img.example)"
)


def test_a_hostile_answer_neither_commands_the_terminal_nor_hides_a_link():
    stream = io.StringIO()
    screen = Screen(stream)
    screen.console = Console(file=stream, force_terminal=True, width=100, markup=False, emoji=False, highlight=False)
    screen.answer(HOSTILE)
    screen.line(HOSTILE)
    shown = stream.getvalue()
    assert "\x1b[" in shown, "a terminal's colours are ours"
    assert "\x1b]" not in shown
    assert "\u202e" not in shown
    assert "[bold]not bold[/bold] :smile:" in shown
    assert "http://evil.example" in shown


def test_events_of_unknown_shape_are_survived():
    odd: list[Any] = [None, 7, "x", [], {"payload": "x"}, {"payload": {"tool_calls": [1, {"arguments": []}]}}]
    names = ["agent.trace", "request.waiting", "request.completed", "request.error", "request.cancelled", "new.event"]
    kinds = ["runtime.llm.think.completed", "runtime.tool.call.completed", "subagent.agent.trace", "runtime.llm.retry"]
    for name in names:
        for kind in kinds:
            for payload in odd:
                watch([(name, {"event_type": kind, "payload": payload, "loop_index": "x", "response": payload})])


def test_a_pipe_gets_the_final_answer_and_nothing_but_text():
    answers, notes = io.StringIO(), io.StringIO()
    view = RequestView(PipeScreen(answers, notes), "primary")
    for name, data in TOOL_TURN:
        view.take(RequestEvent(name=name, data=data, sequence=None))
    view.close()
    assert answers.getvalue() == "There are **two** files.\n"
    assert "Step 1" in notes.getvalue()
    assert "\x1b" not in notes.getvalue()


def delta(text: str, index: int, *, loop_index: int = 0) -> Event:
    return "agent.trace", trace("llm.response.delta", {"text": text, "index": index, "loop_index": loop_index})


@pytest.mark.parametrize(
    "pieces",
    [
        ["All ", "is ", "well."],
        ["All ", "is "],
        ["All ", "is ", "well.", ("All is well.", 0)],
        ["All ", "is ", ("All ", 0), ("is well.", 1)],
    ],
    ids=["whole", "without its end", "told again after a cut", "caught up after a cut"],
)
def test_text_is_shown_as_it_comes_and_once(pieces: list[Any]):
    told = [piece if isinstance(piece, tuple) else (piece, place) for place, piece in enumerate(pieces)]
    events = [delta(text, index) for text, index in told]
    shown, view = watch([*events, ("agent.trace", think("response", "All is well.", [])), completed("All is well.")])
    assert shown.splitlines()[:3] == ["primary: execution started", "primary says:", "All is well."]
    assert shown.count("well") == 1
    assert "Assistant" not in shown
    assert view.outcome is Outcome.ANSWERED


def test_text_is_on_the_screen_before_the_model_has_finished():
    stream = io.StringIO()
    view = RequestView(Screen(stream), "primary")
    name, data = delta("Al\x1b[2Jl", 0)
    view.take(RequestEvent(name=name, data=data, sequence=None))
    assert stream.getvalue().endswith("primary says:\nAll")


def test_a_text_that_is_cut_off_leaves_nothing_on_its_line():
    stream = io.StringIO()
    screen = Screen(stream)
    with contextlib.suppress(KeyboardInterrupt), screen.working("at work"):
        screen.piece("Half a sen")
        raise KeyboardInterrupt
    screen.line("Cancelling")
    assert stream.getvalue() == "Half a sen\nCancelling\n"
    shown, _ = watch([delta("Half", 0), ("request.cancelled", {**COMMON, "reason": "cancelled"})])
    assert shown.splitlines()[2:] == ["Half", "Cancelled: cancelled"]


def test_another_try_of_the_model_begins_a_new_text():
    retry = trace("runtime.llm.retry", {"attempt": 1, "delay_s": 0.1, "code": "overloaded"})
    answer = ("agent.trace", think("response", "Bye", []))
    shown, _ = watch([delta("Hel", 0), ("agent.trace", retry), delta("B", 0), delta("ye", 1), answer, completed("Bye")])
    assert [line for line in shown.splitlines() if line in {"Hel", "Bye"}] == ["Hel", "Bye"]


def test_an_answer_that_differs_from_what_was_heard_is_shown_whole():
    shown, _ = watch([delta("Draft", 0), ("agent.trace", think("response", "Final", [])), completed("Final")])
    assert "Draft" in shown
    assert "| Final" in shown


def test_a_subagents_text_is_shown_under_its_label():
    _, data = delta("Looking", 0)
    shown, _ = watch([mirror("agent.trace", data), completed("ok")])
    assert "Subagent research says:\nLooking\n" in shown


def test_an_answered_question_tells_by_whom_and_a_silent_one_what_that_means():
    late = settled("deny", state="expired", by=None)
    events: list[Event] = [
        ("request.interaction.create", asking()),
        ("request.paused", {**COMMON, "reason": "interaction"}),
        ("request.interaction.ack", settled("approve", note="go on")),
        mirror("request.interaction.ack", late),
        completed("ok"),
    ]
    shown, _ = watch(events)
    assert shown.splitlines()[:2] == [
        'Answered by alice: "approve", go on',
        'Nobody answered in time, which counts as "deny"',
    ]
