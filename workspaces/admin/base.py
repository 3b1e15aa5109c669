"""The base of every tenant-owned model's admin: what it shows and allows is bounded by the member's role.

Another workspace's rows are not there: not in lists, choices and autocomplete, and their ids answer 404 as missing ones do.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.forms import Field, HiddenInput
from django.http import Http404, HttpRequest
from typing_extensions import override

from workspaces.admin.access import access_of
from workspaces.models import Workspace
from workspaces.roles import Scope

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class WorkspaceModelAdmin(ModelAdmin):
    """Set `view_scope`, and `write_scope` where people may write; without one everything is read-only."""

    view_scope: Scope
    write_scope: Scope | None = None
    can_delete = False
    workspace_path = "workspace"
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    view_on_site = False

    def workspace_pk_of(self, row: Any) -> int:
        return int(row.workspace_id)

    @override
    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return access_of(request).bounded(super().get_queryset(request), self.view_scope, self.workspace_path)

    @override
    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return row

    @override
    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @override
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, self.view_scope, obj)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, self.write_scope, None)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, self.write_scope, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_delete and self._allows(request, self.write_scope, obj)

    def _allows(self, request: HttpRequest, scope: Scope | None, row: Any) -> bool:
        if scope is None:
            return False
        access = access_of(request)
        return access.allows_anywhere(scope) if row is None else access.allows(scope, self.workspace_pk_of(row))

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row never moves to another workspace."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None or self.workspace_path != "workspace" else [*fixed, "workspace"]

    @override
    def get_field_queryset(
        self, db: str | None, db_field: "models.Field[Any, Any]", request: HttpRequest
    ) -> models.QuerySet[Any]:
        """Choices for a related row: what this person may write to, in their own workspaces only."""
        access, related = access_of(request), db_field.related_model
        scope = self.write_scope or self.view_scope
        if related is Workspace:
            return access.workspaces(scope)
        rows = _default_rows(related)
        if _has_field(related, "workspace"):
            return access.bounded(rows, scope, "workspace")
        return rows if access.is_superuser else rows.none()

    @override
    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            # No pop-ups: related rows have pages of their own.
            field.widget = field.widget.widget
        if field is not None and db_field.related_model is Workspace:
            choices = list(access_of(request).workspaces(self.write_scope or self.view_scope)[:2])
            if len(choices) == 1:
                field.widget, field.initial = HiddenInput(), choices[0].pk
        return field

    @override
    def get_actions(self, request: HttpRequest) -> Any:
        """Rows are deleted one by one, each with its own checks and its own line in the audit trail."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    @override
    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters on the page: a free lookup could feel its way to what the page does not show."""
        filters = self.get_list_filter(request) if request else self.list_filter
        return lookup.removesuffix("__exact").removesuffix("__isnull") in {_parameter(item) for item in filters}


class ReadOnlyWorkspaceAdmin(WorkspaceModelAdmin):
    """For facts, which nobody edits: every field is shown and none can be changed."""

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(field.name for field in self.opts.fields)]


def _parameter(item: Any) -> str:
    if isinstance(item, tuple):
        return str(item[0])
    return str(getattr(item, "parameter_name", item))


def _default_rows(model: Any) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = model._default_manager.all()
    return rows


def _has_field(model: Any, name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True
