"""Skills: instructions that a workspace's agents look up when they need them, with every version kept."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from typing_extensions import override

from agents.admin.skill_form import SkillForm
from agents.admin.versions import VersionedAdmin
from agents.models import WorkspaceSkill, WorkspaceSkillVersion
from agents.skill_versions import restore_skill_version, save_skill_version, skill_version_diff
from workspaces import audit
from workspaces.admin.access import Access, access_of
from workspaces.admin.filters import WorkspaceFilter
from workspaces.roles import Scope


@admin.register(WorkspaceSkill)
class WorkspaceSkillAdmin(VersionedAdmin):
    form = SkillForm
    view_scope = Scope.AGENTS_READ
    write_scope = Scope.AGENTS_WRITE
    can_delete = True
    fields = ("workspace", "name", "is_enabled", "description", "text", "note")
    list_display = ("name", "description", "is_enabled", "version", "workspace")
    list_select_related = ("current_version", "workspace")
    list_filter = ("is_enabled", WorkspaceFilter)
    search_fields = ("name", "current_version__description")

    @admin.display(description="Description")
    def description(self, skill: WorkspaceSkill) -> str:
        return skill.current_version.description if skill.current_version else ""

    @admin.display(description="Text")
    def text(self, skill: WorkspaceSkill) -> str:
        return skill.current_version.text if skill.current_version else ""

    @admin.display(description="Version")
    def version(self, skill: WorkspaceSkill) -> str:
        return f"v{skill.current_version.number}" if skill.current_version else ""

    @override
    def difference(self, older: WorkspaceSkillVersion | None, newer: WorkspaceSkillVersion) -> str:
        return skill_version_diff(older, newer)

    @override
    def bring_back(self, version: WorkspaceSkillVersion, access: Access) -> WorkspaceSkillVersion:
        return restore_skill_version(version, actor=access.actor, author=access.user)

    @override
    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("workspace", "name", "is_enabled", "description", "text")}),)
        return super().get_fieldsets(request, obj)

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = [*super().get_readonly_fields(request, obj), *(["name"] if obj else [])]
        if obj and not self.has_change_permission(request, obj):
            fixed += ["description", "text"]
        return fixed

    @override
    def save_model(self, request: HttpRequest, obj: WorkspaceSkill, form: "forms.ModelForm[Any]", change: bool) -> None:
        access, asked = access_of(request), form.cleaned_data
        if not change:
            obj.created_at = timezone.now()
            obj.save(force_insert=True)
        elif "is_enabled" in form.changed_data:
            obj.save(update_fields=["is_enabled"])
            self._audit(request, obj, "skill.changed", {"is_enabled": obj.is_enabled})
        save_skill_version(
            obj,
            description=asked["description"],
            text=asked["text"],
            actor=access.actor,
            author=access.user,
            note=asked["note"],
        )

    @override
    def delete_model(self, request: HttpRequest, obj: WorkspaceSkill) -> None:
        self._audit(request, obj, "skill.removed", {})
        obj.delete()

    def _audit(self, request: HttpRequest, skill: WorkspaceSkill, action: str, details: Any) -> None:
        actor = access_of(request).actor
        audit.record(skill.workspace, actor=actor, action=action, target=skill.name, details=details)
