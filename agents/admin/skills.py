"""Skills: instructions that a workspace's agents look up when they need them, with every version kept."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from typing_extensions import override

from agents.admin.skill_form import SkillForm
from agents.admin.versions import history_page
from agents.models import WorkspaceSkill
from agents.skill_versions import restore_skill_version, save_skill_version, skill_version_diff
from workspaces import audit
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.admin.filters import WorkspaceFilter
from workspaces.roles import Scope


@admin.register(WorkspaceSkill)
class WorkspaceSkillAdmin(WorkspaceModelAdmin):
    form = SkillForm
    view_scope = Scope.AGENTS_READ
    write_scope = Scope.AGENTS_WRITE
    can_delete = True
    fields = ("workspace", "name", "is_enabled", "description", "text", "note")
    list_display = ("name", "description", "is_enabled", "version", "workspace")
    list_select_related = ("current_version", "workspace")
    list_filter = ("is_enabled", WorkspaceFilter)
    search_fields = ("name", "current_version__description")
    change_form_template = "admin/agents/skill_change_form.html"

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
    def get_urls(self) -> list[URLPattern]:
        view, site = self.admin_site.admin_view, "agents_workspaceskill"
        return [
            path("<int:object_id>/versions/", view(self.history_of_versions), name=f"{site}_versions"),
            path(
                "<int:object_id>/versions/<int:number>/restore/",
                view(require_POST(self.restore)),
                name=f"{site}_restore",
            ),
            *super().get_urls(),
        ]

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

    def history_of_versions(self, request: HttpRequest, object_id: int) -> HttpResponse:
        skill = self._visible(request, object_id)
        page = history_page(
            skill.versions.all(),
            request.GET.get("before", ""),
            current_pk=skill.current_version_id,
            difference=skill_version_diff,
            restore_url=lambda version: reverse("admin:agents_workspaceskill_restore", args=[skill.pk, version.number]),
        )
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Versions: {skill.name}",
            "opts": self.opts,
            "original": skill,
            **page,
            "may_restore": self.has_change_permission(request, skill),
        }
        return TemplateResponse(request, "admin/agents/skill_versions.html", context)

    def restore(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        skill = self._visible(request, object_id)
        if not self.has_change_permission(request, skill):
            raise PermissionDenied
        old = skill.versions.filter(number=number).first()
        if old is None:
            raise Http404("There is no such version.")
        access = access_of(request)
        restored = restore_skill_version(old, actor=access.actor, author=access.user)
        self.log_change(request, skill, f"Back to version {number}")
        text = f"Version {restored.number} is now what version {number} was."
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:agents_workspaceskill_versions", args=[skill.pk]))

    def _visible(self, request: HttpRequest, object_id: int) -> WorkspaceSkill:
        skill: WorkspaceSkill = self.get_object(request, str(object_id))
        if not self.has_view_permission(request, skill):
            raise PermissionDenied
        return skill

    def _audit(self, request: HttpRequest, skill: WorkspaceSkill, action: str, details: Any) -> None:
        actor = access_of(request).actor
        audit.record(skill.workspace, actor=actor, action=action, target=skill.name, details=details)
