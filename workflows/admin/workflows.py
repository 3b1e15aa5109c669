"""Workflows in the admin: one form, immutable versions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from typing_extensions import override

from agents.admin.versions import VersionedAdmin
from agents.versions import version_diff
from workflows.admin.workflow_form import WorkflowForm, definition_text
from workflows.catalogue import agent_for
from workflows.check import definition_faults
from workflows.models import Workflow, WorkflowVersion
from workflows.versions import save_workflow
from workspaces import audit
from workspaces.admin.access import Access, access_of
from workspaces.admin.filters import WorkspaceFilter
from workspaces.roles import Scope

if TYPE_CHECKING:
    from django.forms import ModelForm


@admin.register(Workflow)
class WorkflowAdmin(VersionedAdmin):
    form = WorkflowForm
    view_scope = Scope.AGENTS_READ
    write_scope = Scope.AGENTS_WRITE
    fields = ("workspace", "workflow_id", "is_enabled", "position", "text", "note")
    list_display = ("workflow_id", "is_enabled", "version", "source", "runs", "workspace")
    list_select_related = ("current_version", "workspace")
    list_filter = ("is_enabled", "source", WorkspaceFilter)
    search_fields = ("workflow_id",)
    ordering = ("workspace__slug", "position", "id")

    @admin.display(description="Version")
    def version(self, workflow: Workflow) -> str:
        return f"v{workflow.current_version.number}" if workflow.current_version else ""

    @admin.display(description="Runs")
    def runs(self, workflow: Workflow) -> str:
        address = reverse("web:workflow", args=[workflow.workspace.slug, workflow.workflow_id])
        return format_html('<a href="{}">See its runs</a>', address)

    @admin.display(description="Definition")
    def definition(self, workflow: Workflow) -> str:
        version = workflow.current_version
        return format_html("<pre>{}</pre>", definition_text(version.definition) if version else "")

    @override
    def difference(self, older: WorkflowVersion | None, newer: WorkflowVersion) -> str:
        return version_diff(older, newer)

    @override
    def bring_back(self, version: WorkflowVersion, access: Access) -> WorkflowVersion:
        note = f"Back to version {version.number}"
        definition = version.typed_definition
        return save_workflow(version.workflow, definition, actor=access.actor, author=access.user, note=note)

    @override
    def faults_of(self, restored: WorkflowVersion) -> Sequence[str]:
        return definition_faults(restored.workspace, restored.workflow.workflow_id, restored.typed_definition)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.source == Workflow.Source.CODE:
            return False
        return super().has_change_permission(request, obj)

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return ("workspace", "workflow_id", "is_enabled", "source", "definition", "runs")
        return self.fields

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = [*super().get_readonly_fields(request, obj)]
        return [*fixed, "workflow_id", "definition", "runs"] if obj else fixed

    @override
    def save_model(self, request: HttpRequest, obj: Workflow, form: "ModelForm[Any]", change: bool) -> None:
        access, definition = access_of(request), getattr(form, "definition")  # noqa: B009  it has one once it is valid
        if not change:
            obj.created_at = timezone.now()
            obj.agent = agent_for(obj.workspace, obj.workflow_id)
            obj.save(force_insert=True)
        elif changed := [name for name in ("is_enabled", "position") if name in form.changed_data]:
            obj.save(update_fields=changed)
            about: dict[str, Any] = {name: form.cleaned_data[name] for name in changed}
            audit.record(
                obj.workspace, actor=access.actor, action="workflow.changed", target=obj.workflow_id, details=about
            )
        note = form.cleaned_data.get("note", "")
        save_workflow(obj, definition, actor=access.actor, author=access.user, note=note)
