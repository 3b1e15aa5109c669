"""Attachments, to look at as facts: the content itself is only downloaded, never shown on a page."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from typing_extensions import override

from runtime.attachments.serve import download
from runtime.models import Attachment
from workspaces.admin.keyset import KeysetAdmin
from workspaces.roles import Scope


@admin.register(Attachment)
class AttachmentAdmin(KeysetAdmin):
    view_scope = Scope.SESSIONS_READ
    list_display = ("stored", "attachment_id", "media_type", "length", "workspace", "download_link")
    list_select_related = ("workspace",)
    fields = (
        "workspace",
        "attachment_id",
        "media_type",
        "length",
        "sha256",
        "created_at",
        "touched_at",
        "download_link",
    )

    @override
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download_view)
        return [path("<path:object_id>/download/", view, name="runtime_attachment_download"), *super().get_urls()]

    def download_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        attachment = self.get_object(request, object_id)
        if not self.has_view_permission(request, attachment):
            raise Http404("There is no such attachment.")
        return download(attachment)

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "length", "download_link"]

    @admin.display(description="Stored (UTC)")
    def stored(self, attachment: Attachment) -> str:
        return f"{attachment.created_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Size")
    def length(self, attachment: Attachment) -> str:
        return filesizeformat(attachment.size)

    @admin.display(description="Content")
    def download_link(self, attachment: Attachment) -> str:
        url = reverse("admin:runtime_attachment_download", args=[attachment.pk])
        return format_html('<a href="{}">Download</a>', url)
