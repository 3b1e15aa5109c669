"""Which skills an agent of a workspace has: its own from code, the workspace's, and those of the deployment's folder."""

from collections.abc import Sequence

from django.conf import settings

from agents.definition import AgentDefinition
from agents.skills.base import Skill
from agents.skills.registry import SkillRegistry
from agents.workspace_skills import WorkspaceSkill
from workspaces.models import Workspace


def skills_of(workspace: Workspace, definition: AgentDefinition, own: SkillRegistry) -> SkillRegistry:
    """Of a name that is there more than once, code comes first, then the workspace; none unless they are switched on.

    Raises `LookupError` when the definition names one that does not exist; a disabled one is left out.
    """
    if not definition.skills_enabled:
        return SkillRegistry()
    kept = list(workspace.skills.select_related("current_version"))
    available = {skill.name: skill for skill in _deployments_skills()}
    available |= {skill.name: skill for row in kept if row.is_enabled and (skill := _as_skill(row))}
    available |= {skill.name: skill for skill in own.list_skills()}
    missing = set(definition.skills) - set(available) - {row.name for row in kept}
    if missing:
        raise LookupError(f"There are no skills named {', '.join(sorted(missing))}.")
    return SkillRegistry(
        skill for name, skill in sorted(available.items()) if not definition.skills or name in definition.skills
    )


def _deployments_skills() -> Sequence[Skill]:
    return SkillRegistry.get_custom_skills(settings.MASH_SKILLS_DIR) if settings.MASH_SKILLS_DIR else ()


def _as_skill(row: WorkspaceSkill) -> Skill | None:
    version = row.current_version
    return Skill("workspace", row.name, version.description, text=version.text) if version else None
