"""Skills in folders, and the tool that hands them out (contract 5.11, 5.12)."""

import json
from pathlib import Path

import pytest

from agents.skills.base import Skill
from agents.skills.registry import SkillRegistry
from agents.skills.tool import SkillTool
from agents.tools.base import ToolResult
from agents.tools.call import call_tool
from agents.tools.context import ToolContext
from agents.tools.registry import ToolRegistry

CONTEXT = ToolContext(workspace="acme", agent_id="a", session_id="s", request_id="r", idempotency_key="k")


def add_skill(directory: Path, name: str, text: str) -> Path:
    (directory / name).mkdir(parents=True)
    (directory / name / "SKILL.md").write_text(text)
    return directory / name


def use(registry: SkillRegistry, name: object) -> ToolResult:
    tools = ToolRegistry([SkillTool(registry)])
    return call_tool(tools, "Skill", {"name": name}, invalid_arguments=None, context=CONTEXT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# No head", ("folder", "")),
        ("---\nname: other\ndescription: Use when: asked\n---\nText", ("other", "Use when: asked")),
        ("---\nNAME: \"Other\"\nDescription: 'Quoted text'\n---", ("Other", "Quoted text")),
        ("---\n# name: hidden\ndescription: [a, b\nlicense: MIT\n---\n", ("folder", "[a, b")),
        ("---\nname: never closed\n", ("folder", "")),
        ("\n---\nname: not at the top\n---\n", ("folder", "")),
        ("Text\n---\nname: later\n---\n", ("folder", "")),
        ("---\nname:\n---\n", ("folder", "")),
        ("---\nno colon here\nname: kept\n---\n", ("kept", "")),
        ("---\nname: windows\r\n---\r\n", ("windows", "")),
        ("", ("folder", "")),
    ],
)
def test_front_matter_names_and_describes(tmp_path: Path, text: str, expected: tuple[str, str]) -> None:
    folder = add_skill(tmp_path, "folder", text)
    [skill] = SkillRegistry.get_custom_skills(tmp_path)
    assert skill == Skill("custom", *expected, folder)


def test_folders_become_skills_sorted_by_name(tmp_path: Path) -> None:
    add_skill(tmp_path, "b", "---\nname: zebra\n---\n")
    add_skill(tmp_path, "c", "")
    (tmp_path / "a-file").write_text("")
    (tmp_path / "empty").mkdir()
    assert [skill.name for skill in SkillRegistry.get_custom_skills(tmp_path)] == ["c", "empty", "zebra"]
    assert SkillRegistry.get_custom_skills(tmp_path / "missing") == []


def test_the_registry_knows_each_name_once() -> None:
    registry = SkillRegistry([Skill("custom", "one")])
    with pytest.raises(ValueError, match="one"):
        registry.register(Skill("custom", "one"))
    registry.unregister("one")
    registry.unregister("one")
    assert registry.get("one") is None


def test_the_tool_answers_the_whole_file(tmp_path: Path) -> None:
    text = "---\nname: refunds\ndescription: How to refund\n---\n# Refunds\n“Always” say yes.\n"
    folder = add_skill(tmp_path, "x", text)
    registry = SkillRegistry(SkillRegistry.get_custom_skills(tmp_path))
    assert json.loads(use(registry, "refunds").content) == {
        "base_path": str(folder),
        "skill_path": str(folder / "SKILL.md"),
        "skill_name": "refunds",
        "skill_md": text,
    }
    description = SkillTool(registry).description
    assert "- refunds: How to refund" in description
    assert "name only" in description


def test_a_long_skill_is_cut_and_the_json_stays_whole(tmp_path: Path) -> None:
    add_skill(tmp_path, "long", '"é"\n' * 30_000)
    result = use(SkillRegistry(SkillRegistry.get_custom_skills(tmp_path)), "long")
    assert json.loads(result.content)["skill_md"].endswith("[cut: the skill is longer]")
    assert 60_000 < len(result.content.encode()) <= 64 * 1024


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    folder = add_skill(tmp_path, "folder", "")
    (folder / "SKILL.md").unlink()
    (folder / "SKILL.md").mkdir()
    (tmp_path / "empty").mkdir()
    skills = [*SkillRegistry.get_custom_skills(tmp_path), Skill("custom", "nowhere")]
    registry = SkillRegistry(skills)
    told = {name: use(registry, name) for name in ("nowhere", "empty", "folder", "unknown", "", None)}
    assert all(result.is_error for result in told.values())
    assert "no location" in told["nowhere"].content
    assert "no file SKILL.md" in told["empty"].content
    assert "cannot be read" in told["folder"].content
    assert "nowhere" in told["unknown"].content, "Those that exist are listed."
    assert "blank" in told[""].content
