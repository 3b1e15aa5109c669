"""The file tools read what is below their root, and nothing else."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from agents.tools.base import Tool, ToolResult
from agents.tools.files.tools import file_tools
from tests.agents.tools.conftest import Call


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for folder in ("src/deep", "docs", "node_modules/x", ".git", "data", "empty"):
        (root / folder).mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret outside\n")
    for name in ("node_modules/x/a.py", ".git/config", ".env", "data/key"):
        (root / name).write_text("secret inside\n")
    (root / "src/main.py").write_text("import os\n\n\ndef main() -> None:\n    print('hello')\n")
    (root / "src/deep/other.py").write_text("main = 1\n")
    (root / "docs/guide.md").write_text("# Main\r\nRead main.\r\n")
    (root / "binary").write_bytes(b"main\x00\x01")
    (root / "nothing").write_text("")
    return root


@pytest.fixture
def tools(root: Path) -> dict[str, Tool]:
    return {tool.name: tool for tool in file_tools(root, without=[root / "data"])}


@pytest.fixture
def read(call: Call, tools: dict[str, Tool]):
    return lambda path, **args: call(tools["read_file"], path=path, **args)


@pytest.fixture
def search(call: Call, tools: dict[str, Tool]):
    return lambda pattern, **args: call(tools["search_files"], pattern=pattern, **args)


@pytest.fixture
def listing(call: Call, tools: dict[str, Tool]):
    return lambda **args: call(tools["list_files"], **args)


def test_a_file_is_shown_with_line_numbers(read) -> None:
    assert read("src/main.py").content.splitlines()[3] == "4\tdef main() -> None:"
    assert read("./src//main.py", start_line=4, line_count=1).content == "4\tdef main() -> None:\n[lines 4 to 4 of 5]"
    assert read("docs/guide.md").content == "1\t# Main\n2\tRead main."
    assert read("nothing").content == "[The file is empty.]"


def escapes(root: Path) -> dict[str, str]:
    """Paths that lead out, or to what is not to be read."""
    (root / "link").symlink_to(root.parent / "secret.txt")
    (root / "linked").symlink_to(root.parent)
    (root / "inner").symlink_to(root / ".env")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    paths = ["../secret.txt", "src/../../secret.txt", str(root.parent / "secret.txt"), str(root / "src/main.py")]
    paths += ["/etc/passwd", "link", "linked/secret.txt", "inner", "pipe", "socket", ".env", ".git/config", "data/key"]
    paths += ["src", "", ".", "missing", "src/main.py/x", "src/main.py\x00.txt", "x" * 5000, "~/.ssh/id_rsa", "binary"]
    return {path: path for path in paths}


def test_no_path_leads_out(read, root: Path) -> None:
    for path in escapes(root):
        began = time.monotonic()
        result: ToolResult = read(path)
        assert result.is_error, path
        assert "secret" not in result.content.replace("secret.txt", ""), path
        assert time.monotonic() - began < 10, path


def test_folders_cannot_be_left_either(listing, search, root: Path) -> None:
    escapes(root)
    for path in ("..", "../", "/", "src/../..", "linked", ".git", "data", "src/main.py"):
        assert listing(path=path).is_error, path
        assert search("secret", path=path).is_error, path
    assert "secret" not in search("secret").content
    shown = listing(depth=9).content
    assert not {"link", "linked/", "inner", "pipe", "socket", ".env", "data/", "key"} & set(shown.split())


def test_a_tree_that_changes_meanwhile_leads_nowhere(read, root: Path) -> None:
    """A folder that is now itself, now a link to a folder outside."""
    outside, ended = root.parent / "outside", threading.Event()
    outside.mkdir()
    (outside / "file").write_text("secret outside\n")
    (root / "moving").mkdir()
    (root / "moving/file").write_text("inside\n")

    def swap() -> None:
        while not ended.is_set():
            os.rename(root / "moving", root / "kept")
            os.symlink(outside, root / "moving")
            os.unlink(root / "moving")
            os.rename(root / "kept", root / "moving")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        answers = {read("moving/file").content for _ in range(300)}
    finally:
        ended.set()
        thread.join()
    assert "1\tinside" in answers
    assert not any("secret" in answer for answer in answers)


def test_a_large_file_is_read_in_parts_and_a_huge_one_is_not(read, root: Path) -> None:
    (root / "long").write_text("".join(f"line {n}\n" for n in range(1, 5001)))
    assert read("long").content.endswith("1000\tline 1000\n[lines 1 to 1000 of 5000]")
    assert read("long", start_line=4999).content == "4999\tline 4999\n5000\tline 5000\n[lines 4999 to 5000 of 5000]"
    assert "5000 lines only" in read("long", start_line=5001).content
    (root / "wide").write_text("x" * 1_000_000)
    assert len(read("wide").content) < 2100
    with (root / "huge").open("wb") as file:
        file.truncate(20 * 1024 * 1024)
    assert "at most" in read("huge").content


def test_folders_are_listed(listing) -> None:
    assert listing().content.splitlines() == [
        "binary (6 bytes)",
        "docs/",
        "docs/guide.md (20 bytes)",
        "empty/",
        "nothing (0 bytes)",
        "src/",
        "src/deep/",
        "src/main.py (51 bytes)",
    ]
    assert listing(glob="*.py", depth=9).content == "src/deep/other.py (9 bytes)\nsrc/main.py (51 bytes)"
    assert listing(path="src", depth=1).content == "src/deep/\nsrc/main.py (51 bytes)"
    assert listing(path="empty").content == "Nothing there."


def test_lines_are_found(search) -> None:
    assert search("main").content.splitlines() == [
        "docs/guide.md:2: Read main.",
        "src/deep/other.py:1: main = 1",
        "src/main.py:4: def main() -> None:",
    ]
    assert search("^# MAIN", ignore_case=True).content == "docs/guide.md:1: # Main"
    assert search("main", glob="src/**/*.py", path="src/deep").content == "src/deep/other.py:1: main = 1"
    assert search("nowhere").content == "No line matches."


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(x)\1", "x" * 1001, "[z-a]"])
def test_an_expression_that_cannot_be_used_is_told(search, pattern: str) -> None:
    result = search(pattern)
    assert result.is_error
    assert "pattern" in result.content


def test_no_expression_or_glob_takes_for_ever(search, listing, root: Path) -> None:
    (root / "evil").write_text("a" * 200_000 + "b\n")
    (root / ("a" * 200)).write_text("")
    began = time.monotonic()
    assert search("(a+)+$").content == "No line matches."
    assert listing(glob="*a" * 30 + "b").content == "Nothing there."
    assert time.monotonic() - began < 5


def test_results_are_bounded(search, listing, root: Path) -> None:
    (root / "many").write_text("match\n" * 5000)
    found = search("match").content.splitlines()
    assert (len(found), found[-1]) == (201, "[ended after 200 lines: there may be more; narrow it down]")
    (root / "crowd").mkdir()
    for number in range(600):
        (root / "crowd" / f"{number}").touch()
    shown = listing(path="crowd").content.splitlines()
    assert (len(shown), "after 500 entries" in shown[-1]) == (501, True)
