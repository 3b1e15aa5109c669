"""A file that came with a message, for people who are signed in: the API's own answer under a page's address."""

import uuid

from django.http import HttpResponse

from runtime.attachments.serve import download, find_attachment
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope


@screen("sessions", Scope.SESSIONS_READ)
def attachment_file(visit: Visit, attachment_id: uuid.UUID) -> HttpResponse:
    attachment = find_attachment(visit.workspace, attachment_id)
    return download(attachment, name=visit.request.GET.get("name", ""))
