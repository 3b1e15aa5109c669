"""What agents use and cost, and the prices that a workspace sets itself."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from typing_extensions import override

from runtime.models import DailyUsage, PriceOverride
from runtime.usage import own_prices
from runtime.usage.reports import MAX_ROWS, Span, usage_report
from workspaces.admin.access import access_of
from workspaces.admin.base import ReadOnlyWorkspaceAdmin, WorkspaceModelAdmin
from workspaces.admin.filters import WorkspaceFilter
from workspaces.models import Workspace
from workspaces.roles import Scope

_GROUPS = {"model": "Model", "agent": "Agent", "user": "End user", "day": "Day"}
_DAYS = (1, 7, 30, 90, 365)


class ReportForm(forms.Form):
    """What the usage page shows; it is sent by GET."""

    workspace = forms.ModelChoiceField(Workspace.objects.none(), to_field_name="slug", empty_label=None)
    group_by = forms.ChoiceField(choices=list(_GROUPS.items()), label="By")
    days = forms.TypedChoiceField(choices=[(days, f"{days} days") for days in _DAYS], coerce=int, label="Last")


@admin.register(DailyUsage)
class DailyUsageAdmin(ReadOnlyWorkspaceAdmin):
    """The stored rows are pieces of sums, so the list is a report of them."""

    view_scope = Scope.USAGE_READ

    @override
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = self._form(request)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Usage and cost",
            "opts": self.opts,
            "form": form,
            "report": None,
        }
        if form.is_valid():
            chosen = form.cleaned_data
            now = timezone.now()
            span = Span(since=now - timedelta(days=chosen["days"] - 1), until=now)
            context["report"] = usage_report(chosen["workspace"], chosen["group_by"], span, limit=MAX_ROWS)
            context["heading"] = _GROUPS[chosen["group_by"]]
        return TemplateResponse(request, "admin/runtime/usage.html", context)

    def _form(self, request: HttpRequest) -> ReportForm:
        workspaces = access_of(request).workspaces(self.view_scope)
        first = workspaces.values_list("slug", flat=True).first()
        given = {name: request.GET[name] for name in ("workspace", "group_by", "days") if name in request.GET}
        form = ReportForm({"workspace": first, "group_by": "model", "days": 30, **given})
        form.fields["workspace"].queryset = workspaces  # type: ignore[attr-defined]  # a ModelChoiceField
        return form


@admin.register(PriceOverride)
class PriceOverrideAdmin(WorkspaceModelAdmin):
    view_scope = Scope.USAGE_READ
    write_scope = Scope.MEMBERS_WRITE
    can_delete = True
    fields = (
        "workspace",
        "provider",
        "model_pattern",
        ("input_usd", "output_usd"),
        ("cache_read_usd", "cache_write_usd"),
        "valid_from",
    )
    list_display = ("model_pattern", "provider", "input_usd", "output_usd", "valid_from", "workspace")
    list_select_related = ("workspace",)
    list_filter = (WorkspaceFilter,)
    search_fields = ("model_pattern",)

    @override
    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"valid_from": timezone.now()}

    @override
    def save_model(self, request: HttpRequest, obj: PriceOverride, form: "forms.ModelForm[Any]", change: bool) -> None:
        own_prices.save_price(obj, changed=form.changed_data, actor=access_of(request).actor)

    @override
    def delete_model(self, request: HttpRequest, obj: PriceOverride) -> None:
        own_prices.remove_price(obj, actor=access_of(request).actor)
