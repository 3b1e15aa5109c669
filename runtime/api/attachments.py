"""Files for messages: uploaded once, sent along by id, and handed back."""

import uuid
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

from runtime.api.responses import AttachmentRow, enveloped
from runtime.api.serializers import FileBody, UploadBody
from runtime.attachments.serve import download, find_attachment
from runtime.attachments.store import store_upload
from runtime.attachments.values import Upload
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.parsers import StrictJSONParser
from workspaces.api.serializers import read_body
from workspaces.roles import Scope

NAME = OpenApiParameter("name", OpenApiTypes.STR, description="What the file is saved as; the ending is made to fit.")


class UploadView(APIView):
    required_scopes = {"POST": Scope.AGENTS_RUN}
    parser_classes = [StrictJSONParser, MultiPartParser]

    @extend_schema(
        operation_id="upload_attachment",
        request={"application/json": UploadBody, "multipart/form-data": FileBody},
        responses=enveloped(AttachmentRow),
    )
    def post(self, request: Request) -> Response:
        """Store an image or PDF of at most 10 MB for messages; the same content twice has the same id.

        Unless a message uses it within a day, it is removed.
        """
        upload, field = _upload(request)
        reference, digest = store_upload(principal_of(request).workspace, upload, place=["body", field])
        return data({**reference.as_json(), "sha256": digest})


class _WhateverIsAccepted(DefaultContentNegotiation):
    """Errors are JSON and the file is what it is, whichever type the caller prefers."""

    @override
    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class AttachmentView(APIView):
    required_scopes = {"GET": Scope.SESSIONS_READ}
    content_negotiation_class = _WhateverIsAccepted

    @extend_schema(
        operation_id="get_attachment",
        parameters=[NAME],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, attachment_id: uuid.UUID) -> HttpResponse:
        """Download an attachment under the media type that its content has."""
        attachment = find_attachment(principal_of(request).workspace, attachment_id)
        return download(attachment, name=request.query_params.get("name", ""))


def _upload(request: Request) -> tuple[Upload, str]:
    """The file and the field that it came in."""
    if (request.content_type or "").startswith("multipart/"):
        file = read_body(request, FileBody)["file"]
        return Upload(name=file.name, content=file.read()), "file"
    values = read_body(request, UploadBody)
    return Upload(name=values["name"], content=values["data"]), "data"
