"""The skills of one agent, by name."""

from collections.abc import Iterable
from pathlib import Path

from agents.skills.base import Skill, read_folder


class SkillRegistry:
    def __init__(self, skills: Iterable[Skill] = ()) -> None:
        self._skills: dict[str, Skill] = {}
        for skill in skills:
            self.register(skill)

    def register(self, skill: Skill) -> None:
        """Adds a skill; a second one of the same name is a `ValueError`."""
        if skill.name in self._skills:
            raise ValueError(f"A skill named {skill.name!r} is registered already.")
        self._skills[skill.name] = skill

    def unregister(self, name: str) -> None:
        self._skills.pop(name, None)

    def get(self, name: str) -> Skill | None:
        return self._skills.get(name)

    def list_skills(self) -> list[Skill]:
        return list(self._skills.values())

    @staticmethod
    def get_custom_skills(directory: str | Path) -> list[Skill]:
        """One skill for each sub-folder, sorted by name; none if there is no such directory."""
        try:
            folders = [entry for entry in Path(directory).iterdir() if entry.is_dir()]
        except OSError:
            return []
        return sorted((read_folder(folder) for folder in folders), key=lambda skill: skill.name)

    def __len__(self) -> int:
        return len(self._skills)

    def __contains__(self, name: object) -> bool:
        return name in self._skills
