import stat
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory

from agents.identifiers import subagent_session_id
from runtime.repl.editor import history_file, make_editor, open_history


def test_history_lies_in_the_home_and_is_named_for_the_agent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file("My Agent") == tmp_path / ".mash" / "my_agent_remote_history"
    assert len(history_file("x" * 400).name) < 120
    assert history_file("../../etc/passwd").parent == tmp_path / ".mash"


def test_history_is_readable_for_its_owner_only(tmp_path: Path):
    file = tmp_path / ".mash" / "a_history"
    assert isinstance(open_history(file), FileHistory)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    open_history(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_place_for_it_history_lasts_for_the_run(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert isinstance(open_history(tmp_path / "file" / "history"), InMemoryHistory)


def test_slash_words_are_completed_in_either_case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("HOME", str(tmp_path))
    completer = make_editor("primary").completer
    assert completer is not None

    def offered(text: str) -> list[str]:
        return [found.text for found in completer.get_completions(Document(text), CompleteEvent())]

    assert offered("/HE") == ["/help"]
    assert offered("/ses") == ["/session", "/sessions"]
    assert offered("tell me /he") == []


def test_the_session_of_a_delegation_is_the_one_of_the_contract():
    assert subagent_session_id("primary", "s-1", "research") == "subagent:research:ab1a49c3c907282c7c1ea448"
