"""Hands a file back to people in a way that no browser runs or frames it, whatever it holds."""

import uuid

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from runtime.attachments.errors import AttachmentNotFound
from runtime.attachments.values import file_name, plain_name
from runtime.models import Attachment
from workspaces.models import Workspace
from workspaces.scoping import only

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


def find_attachment(workspace: Workspace, attachment_id: uuid.UUID) -> Attachment:
    attachment = only(workspace.attachments.filter(attachment_id=attachment_id).select_related("content"))
    if attachment is None:
        raise AttachmentNotFound("There is no such attachment.")
    return attachment


def download(attachment: Attachment, *, name: str = "") -> HttpResponse:
    """The content under its sniffed type, to be saved as `name` with an ending that fits."""
    name = file_name(plain_name(name) or str(attachment.attachment_id), attachment.media_type)
    response = HttpResponse(attachment.content.data, content_type=attachment.media_type, headers=HEADERS)
    response["Content-Disposition"] = str(content_disposition_header(as_attachment=True, filename=name))
    return response
