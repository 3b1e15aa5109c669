"""Version histories in the admin: what changed, who changed it, and one click back."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from typing_extensions import override

from agents.versions import diff_lines
from workspaces.admin.access import Access, access_of
from workspaces.admin.base import WorkspaceModelAdmin

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersion:
    version: Any
    is_current: bool
    restore_url: str
    lines: list[tuple[str, str]]
    """Kind and text of each line of the difference to the version before."""


class VersionedAdmin(WorkspaceModelAdmin):
    """Of rows with `versions` and a `current_version`."""

    change_form_template = "admin/versioned_change_form.html"

    @abstractmethod
    def difference(self, older: Any, newer: Any) -> str:
        """A unified diff; `older` is None for the first version."""

    @abstractmethod
    def bring_back(self, version: Any, access: Access) -> Any:
        """The newest version, which is what that one was."""

    def faults_of(self, restored: Any) -> Sequence[str]:
        """What to say of a version that is back, but no longer fits."""
        return ()

    def may_restore(self, request: HttpRequest, row: Any) -> bool:
        return self.has_change_permission(request, row)

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:object_id>/versions/", view(self.history_of_versions), name=self._route("versions")),
            path(
                "<int:object_id>/versions/<int:number>/restore/",
                view(require_POST(self.restore)),
                name=self._route("restore"),
            ),
            *super().get_urls(),
        ]

    def history_of_versions(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """One page of it, newest first, each version compared with the one before it."""
        row = self._visible(request, object_id)
        versions: QuerySet[Any] = row.versions.select_related("author").order_by("-number")
        before = request.GET.get("before", "")
        found = list((versions.filter(number__lt=int(before[:9])) if before.isdecimal() else versions)[: PAGE_SIZE + 1])
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Versions: {row}",
            "opts": self.opts,
            "original": row,
            "shown_versions": self._shown(row, found),
            "next_before": found[PAGE_SIZE - 1].number if len(found) > PAGE_SIZE else None,
            "may_restore": self.may_restore(request, row),
        }
        return TemplateResponse(request, "admin/versions.html", context)

    def restore(self, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        row = self._visible(request, object_id)
        if not self.may_restore(request, row):
            raise PermissionDenied
        old = row.versions.filter(number=number).first()
        if old is None:
            raise Http404("There is no such version.")
        restored = self.bring_back(old, access_of(request))
        self.log_change(request, row, f"Back to version {number}")
        text = f"Version {restored.number} is now what version {number} was."
        self.message_user(request, text, messages.SUCCESS)
        for fault in self.faults_of(restored):
            self.message_user(request, fault, messages.WARNING)
        return HttpResponseRedirect(reverse(f"admin:{self._route('versions')}", args=[row.pk]))

    def _shown(self, row: Any, found: Sequence[Any]) -> list[ShownVersion]:
        older = [*found[1:], None]
        return [
            ShownVersion(
                version=version,
                is_current=version.pk == row.current_version_id,
                restore_url=reverse(f"admin:{self._route('restore')}", args=[row.pk, version.number]),
                lines=diff_lines(self.difference(previous, version)),
            )
            for version, previous in list(zip(found, older, strict=True))[:PAGE_SIZE]
        ]

    def _visible(self, request: HttpRequest, object_id: int) -> Any:
        row = self.get_object(request, str(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    def _route(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"
