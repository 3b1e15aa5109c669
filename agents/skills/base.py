"""What a skill is: a name, a description to choose it by, and a text of instructions that is read when it is needed."""

from configparser import Error, RawConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SkillType = Literal["custom", "workspace"]
FILE_NAME = "SKILL.md"
_FENCE = "---"
_MAX_HEAD_LINES = 100


@dataclass(frozen=True, slots=True)
class Skill:
    """`location` is the folder that holds `SKILL.md`; a skill without a folder carries its `text`."""

    type: SkillType
    name: str
    description: str = ""
    location: Path | None = None
    text: str | None = None


def read_folder(folder: Path) -> Skill:
    """The folder as a skill, named by its front matter or else by itself; a file that cannot be read shows when it is used."""
    try:
        with (folder / FILE_NAME).open(encoding="utf-8", errors="replace") as file:
            lines = [line for _, line in zip(range(_MAX_HEAD_LINES), file, strict=False)]
    except OSError:
        lines = []
    head = front_matter("".join(lines))
    return Skill("custom", head.get("name") or folder.name, head.get("description", ""), folder)


def front_matter(text: str) -> dict[str, str]:
    """The `key: value` lines between two `---` lines at the very top, keys in lower case.

    That is not YAML, for which a colon within a description is an error.
    """
    lines = text.splitlines()
    fences = [number for number, line in enumerate(lines) if line.rstrip() == _FENCE][:2]
    if len(fences) < 2 or fences[0] != 0:
        return {}
    parser = RawConfigParser(delimiters=(":",), comment_prefixes=("#",), allow_no_value=True, strict=False)
    try:
        parser.read_string("\n".join(["[skill]", *(line.strip() for line in lines[1 : fences[1]])]))
    except Error:
        return {}
    return {key: _unquoted(value) for key, value in parser.items("skill") if value}


def _unquoted(value: str) -> str:
    is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if is_quoted else value
