import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.repl.preview import call_preview
from runtime.repl.text import one_line, plain


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jgone", "gone"),
        ("\x1bP1$q\x1b\\kept", "kept"),
        ("\x1b]0;never ended", "]0;never ended"),
        ("over\rwritten\b\x7f\x00", "overwritten"),
        ("abc\u202efdp.exe", "abcfdp.exe"),
        ("half \ud800", "half \ufffd"),
        ("two\nlines\tand é 漢 👩‍💻 [bold]", "two\nlines\tand é 漢 👩‍💻 [bold]"),
    ],
)
def test_what_a_terminal_would_obey_is_taken_out(hostile: str, shown: str):
    assert plain(hostile) == shown


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b\x9b\x07[];m\r")))
def test_no_control_character_is_ever_left(text: str):
    left = plain(text)
    assert not {char for char in left if (ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160}
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("name", "arguments", "preview"),
    [
        ("bash", {"command": "ls"}, "$ ls"),
        ("bash", {"command": "x" * 80}, f"$ {'x' * 80}"),
        ("bash", {"command": "x" * 81}, f"$ {'x' * 77}..."),
        ("clock", {}, "clock"),
        ("find", {"q": "x", "n": 2}, "find(q=x, n=2)"),
        ("find", {"a": 1, "b": True, "c": 3, "d": 4}, "find(a=1, b=true, +2 more)"),
        ("find", {"q": "y" * 40}, f"find(q={'y' * 40})"),
        ("find", {"q": "y" * 41}, f"find(q={'y' * 37}...)"),
        ("find", {"q": "two\nlines\x1b[2J"}, "find(q=two lines)"),
        ("bash", {"command": 7}, "bash(command=7)"),
    ],
)
def test_a_tool_call_is_told_in_one_line(name: str, arguments: dict[str, object], preview: str):
    assert call_preview(name, arguments) == preview
