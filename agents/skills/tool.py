"""The `Skill` tool: hands the model a skill's instructions when it asks for them (contract 5.11, 5.12)."""

import json
from bisect import bisect_right
from typing import Any

from typing_extensions import override

from agents.skills.base import FILE_NAME, Skill
from agents.skills.registry import SkillRegistry
from agents.tools.base import Tool, ToolResult
from agents.tools.context import ToolContext
from agents.tools.outcome import MAX_OUTPUT_BYTES

NAME = "Skill"
_VIRTUAL_ROOT = "/skills"
_CUT = "\n[cut: the skill is longer]"


class SkillTool(Tool):
    """Lists the agent's skills in its description; reads one when it is called with its name."""

    name = NAME
    crash_policy = "idempotent"
    parallel_safe = True

    def __init__(self, skills: SkillRegistry) -> None:
        self._skills = skills
        names = [skill.name for skill in skills.list_skills()]
        listed = "\n".join(_line(skill) for skill in skills.list_skills())
        self.description = (
            "Load the instructions of a skill before you do work that it covers. Call it with the skill's name only; "
            f"the answer holds the whole text.\n\nSkills:\n{listed}"
        )
        self.parameters = {
            "type": "object",
            "properties": {"name": {"type": "string", "enum": names, "description": "The skill's name."}},
            "required": ["name"],
        }

    @override
    def execute(self, args: dict[str, Any], context: ToolContext) -> ToolResult:
        name = str(args.get("name") or "").strip()
        if not name:
            return ToolResult.error("Name the skill.")
        skill = self._skills.get(name)
        if skill is None:
            known = ", ".join(skill.name for skill in self._skills.list_skills()) or "none"
            return ToolResult.error(f"There is no skill named {name!r}. Available: {known}.")
        return _from_text(skill, skill.text) if skill.text is not None else _from_folder(skill)


def _line(skill: Skill) -> str:
    return f"- {skill.name}: {skill.description}" if skill.description else f"- {skill.name}"


def _from_text(skill: Skill, text: str) -> ToolResult:
    """A skill without a folder has a name for one, the same at every call."""
    base_path = f"{_VIRTUAL_ROOT}/{skill.name}"
    return _answer(skill, base_path, f"{base_path}/{FILE_NAME}", text)


def _from_folder(skill: Skill) -> ToolResult:
    if skill.location is None:
        return ToolResult.error(f"The skill {skill.name!r} has no location.")
    file = skill.location / FILE_NAME
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(MAX_OUTPUT_BYTES)
    except FileNotFoundError:
        return ToolResult.error(f"The skill {skill.name!r} has no file {FILE_NAME}.")
    except OSError as error:
        return ToolResult.error(f"The file of the skill {skill.name!r} cannot be read: {error.strerror}.")
    return _answer(skill, str(skill.location), str(file), text)


def _answer(skill: Skill, base_path: str, skill_path: str, text: str) -> ToolResult:
    """As JSON that stays whole: if need be the text is cut, and not the JSON."""

    def as_json(shown: str) -> str:
        content = {"base_path": base_path, "skill_path": skill_path, "skill_name": skill.name, "skill_md": shown}
        return json.dumps(content, ensure_ascii=False)

    def size_with(length: int) -> int:
        return len(as_json(text[:length] + _CUT).encode("utf-8", "replace"))

    answer = as_json(text)
    if len(answer.encode("utf-8", "replace")) > MAX_OUTPUT_BYTES:
        fits = bisect_right(range(len(text)), MAX_OUTPUT_BYTES, key=size_with) - 1
        answer = as_json(text[:fits] + _CUT)
    return ToolResult.success(answer, skill_name=skill.name)
