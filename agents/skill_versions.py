"""Changes a workspace's skill: every change is a new version, and going back is a change too."""

import difflib

from django.db import transaction
from django.utils import timezone

from agents.workspace_skills import WorkspaceSkill, WorkspaceSkillVersion
from workspaces import audit
from workspaces.models import User


def save_skill_version(
    skill: WorkspaceSkill, *, description: str, text: str, actor: str, author: User | None = None, note: str = ""
) -> WorkspaceSkillVersion:
    """Makes this the skill's current content; an equal one makes no new version."""
    with transaction.atomic():
        # Two people who save at once take turns here, so numbers stay unique.
        locked = skill.workspace.skills.select_for_update(no_key=True, of=("self",)).get(pk=skill.pk)
        current = locked.current_version
        if current and (current.description, current.text) == (description, text):
            return current
        latest = locked.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = skill.workspace.skill_versions.create(
            skill=locked,
            number=latest + 1,
            description=description,
            text=text,
            author=author,
            note=note,
            created_at=timezone.now(),
        )
        skill.workspace.skills.filter(pk=skill.pk).update(current_version=version)
        details = {"version": version.number}
        audit.record(skill.workspace, actor=actor, action="skill.changed", target=skill.name, details=details)
    skill.current_version = version
    return version


def restore_skill_version(
    version: WorkspaceSkillVersion, *, actor: str, author: User | None = None
) -> WorkspaceSkillVersion:
    """Goes back: the old content becomes the newest version."""
    return save_skill_version(
        version.skill,
        description=version.description,
        text=version.text,
        actor=actor,
        author=author,
        note=f"Back to version {version.number}",
    )


def skill_version_diff(older: WorkspaceSkillVersion | None, newer: WorkspaceSkillVersion) -> str:
    """What changed, as a unified diff."""
    before, after = (_lines(version) if version else [] for version in (older, newer))
    return "".join(difflib.unified_diff(before, after, n=1))


def _lines(version: WorkspaceSkillVersion) -> list[str]:
    return [f"{line}\n" for line in (f"description: {version.description}", *version.text.split("\n"))]
