"""What is shown of a question, and what a line means as its answer."""

import io
from typing import Any

import pytest

from runtime.repl.questions import NoAnswer, Question
from runtime.repl.screen import Screen
from runtime.repl.show_question import show_question
from tests.runtime.repl.recordings import asking

OPTIONS = ["tea", "coffee", "2"]


def question(kind: str = "approval", **values: Any) -> Question:
    return Question.read(asking(kind, **values))


def shown(asked: Question) -> str:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.console.width = 200
    show_question(screen, asked)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("line", "decision", "note"),
    [
        ("y", "approve", ""),
        ("Yes, but only once", "approve", "but only once"),
        ("", "deny", ""),
        ("  ", "deny", ""),
        ("n", "deny", ""),
        ("no. Ask Bob", "deny", "Ask Bob"),
        ("use the other table", "deny", "use the other table"),
        ("yeah", "deny", "yeah"),
        ("approve", "deny", "approve"),
    ],
)
def test_only_a_plain_yes_approves(line: str, decision: str, note: str):
    assert question().answer(line) == {"decision": decision, "note": note}


@pytest.mark.parametrize(
    ("line", "chosen"),
    [("1", ["tea"]), ("2, 1", ["2", "tea"]), ("coffee,tea", ["coffee", "tea"]), ("1,1", ["tea"]), (" 3 ", ["2"])],
)
def test_options_are_chosen_by_number_or_by_their_words(line: str, chosen: list[str]):
    assert question("choice", options=OPTIONS).answer(line) == chosen


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (question("choice", options=["tea"]), ""),
        (question("choice", options=["tea"]), "2"),
        (question("choice", options=["tea"]), "0"),
        (question("choice", options=["tea"]), "tee"),
        (question("choice", options=["tea"]), "9" * 5000),
        (question("info"), "  "),
        (question("info", schema={"type": "integer"}), "seven"),
    ],
)
def test_what_is_no_answer_is_not_sent(asked: Question, line: str):
    with pytest.raises(NoAnswer):
        asked.answer(line)


def test_free_answers_are_text_or_what_their_schema_wants():
    assert question("info").answer("Ada ") == "Ada "
    assert question("info", schema={"type": "integer"}).answer("7") == 7


def test_an_approval_shows_agent_tool_arguments_and_deadline():
    lines = shown(question()).splitlines()
    assert lines[:5] == [
        "primary needs an approval: primary wants to run guarded.",
        "  guarded",
        "    {",
        '      "text": "precious"',
        "    }",
    ]
    assert "(5 min); silence denies." in lines[5]


def test_nothing_hides_in_what_would_run():
    hostile = {"text": "a\x1b[2Jb\u202ec\u200bd\ne"}
    text = shown(question(tool_calls=[{"name": "ba\x1b[2Ksh", "arguments": hostile}]))
    assert "ba\\x1b[2Ksh" in text
    assert r"a\u001b[2Jb\u202ec\u200bd\ne" in text
    assert "\x1b" not in text


def test_a_cut_of_what_would_run_is_told():
    text = shown(question(tool_calls=[{"name": "bash", "arguments": {"command": "x" * 20_000}}]))
    assert len(text) < 7000
    assert "14,019 more characters are NOT shown here." in text


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, [None, 7, {}]])
def test_questions_of_unknown_shape_are_survived(odd: Any):
    for name in ("options", "schema", "tool_calls", "deadline", "prompt", "agent_id"):
        shown(question(**{name: odd}))
