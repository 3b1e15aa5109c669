"""List filters that offer only what the signed-in person may see."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override

from workspaces.admin.access import access_of


class WorkspaceFilter(SimpleListFilter):
    """One workspace or all of the person's; not shown to whoever has only one."""

    title = "workspace"
    parameter_name = "workspace"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        workspaces = access_of(request).workspaces(model_admin.view_scope).order_by("slug")
        return [(str(pk), slug) for pk, slug in workspaces.values_list("pk", "slug")]

    @override
    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in dict(self.lookup_choices):
            raise IncorrectLookupParameters
        return queryset.filter(workspace=chosen)


class OneWorkspaceFilter(WorkspaceFilter):
    """Always exactly one workspace, so that an index which it leads brings the rows in order (`workspace, -id`)."""

    @override
    def value(self) -> str | None:
        first = self.lookup_choices[0][0] if self.lookup_choices else None
        return super().value() or (str(first) if first else None)

    @override
    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        _everything, *each = super().choices(changelist)
        return iter(each)
