"""Lists that stay fast with a million rows: newest first by key, next and previous instead of page numbers, no count."""

from typing import Any, ClassVar

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from typing_extensions import override

from workspaces.admin.base import ReadOnlyWorkspaceAdmin
from workspaces.admin.filters import OneWorkspaceFilter

BEFORE, AFTER = "before", "after"


class KeysetChangeList(ChangeList):
    """One page of rows around a key: `?before=<pk>` goes to older rows, `?after=<pk>` back to newer ones."""

    older_link = ""
    newer_link = ""

    @override
    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in {BEFORE, AFTER}}

    @override
    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Another filter or search starts at the newest row again."""
        return super().get_query_string(new_params, [*(remove or ()), BEFORE, AFTER])

    @override
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-pk"]

    @override
    def get_results(self, request: HttpRequest) -> None:
        before, after = _key(request, BEFORE), _key(request, AFTER)
        page, has_more = self._page(before, after)
        has_newer = has_more if after is not None else before is not None
        has_older = after is not None or has_more
        if page and has_newer:
            self.newer_link = self.get_query_string({AFTER: page[0].pk})
        if page and has_older:
            self.older_link = self.get_query_string({BEFORE: page[-1].pk})
        self.result_list = page
        self.result_count = len(page)
        self.full_result_count = None
        self.show_full_result_count = self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)

    def _page(self, before: int | None, after: int | None) -> tuple[list[Any], bool]:
        """The rows newest first, and whether more follow in the direction that was asked for."""
        size, rows = self.list_per_page, self.queryset
        if after is not None:
            page = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
            return page[:size][::-1], len(page) > size
        page = list((rows if before is None else rows.filter(pk__lt=before))[: size + 1])
        return page[:size], len(page) > size


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic in the stubs only
    """For autocomplete, which pages by number: counts no further than somebody would scroll."""

    cap = 1000

    @cached_property
    @override
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.values_list("pk", flat=True)[: self.cap])


class KeysetAdmin(ReadOnlyWorkspaceAdmin):
    """A read-only list of facts of one workspace at a time."""

    change_list_template = "admin/keyset_change_list.html"
    list_per_page = 50
    list_filter: ClassVar[Any] = [OneWorkspaceFilter]
    paginator = CappedPaginator
    sortable_by: ClassVar[Any] = ()
    ordering: ClassVar[Any] = ["-pk"]

    @override
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeysetChangeList

    @override
    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in {BEFORE, AFTER} or super().lookup_allowed(lookup, value, request)


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        return int(text[:18])
    except ValueError:
        raise IncorrectLookupParameters from None
