"""A page of the admin that holds one form of our own and belongs to one row."""

from typing import Any, cast

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from workspaces.admin.base import WorkspaceModelAdmin


def form_page(
    pages: WorkspaceModelAdmin,
    request: HttpRequest,
    *,
    template: str,
    title: str,
    row: Model,
    form: forms.Form,
    **more: Any,
) -> HttpResponse:
    # Any form will do for the layout.
    layout = AdminForm(cast("Any", form), [(None, {"fields": list(form.fields)})], {})
    context: dict[str, Any] = {
        **pages.admin_site.each_context(request),
        "title": title,
        "opts": row._meta,
        "original": row,
        "form": form,
        "adminform": layout,
        "errors": form.errors,
        **more,
    }
    return TemplateResponse(request, template, context)
