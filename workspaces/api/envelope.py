"""Answers of the API: `{"data": ...}` or `{"error": {"code", "message", "details"}}` (contract 2.1)."""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from workspaces.errors import MashError

logger = logging.getLogger(__name__)

_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}


class InvalidRequest(MashError):
    """A value that is present but makes no sense, such as a message of blanks."""

    code = "INVALID_REQUEST"
    status = 400


class InvalidBody(MashError):
    """The body or query breaks the schema; `details.errors` lists `type`, `loc` and `msg` of each fault."""

    code = "VALIDATION_ERROR"
    status = 422

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        first = errors[0]
        place = ".".join(str(part) for part in first["loc"])
        super().__init__(f"{place}: {first['msg']}", details={"errors": errors})


class PayloadTooLarge(MashError):
    code = "PAYLOAD_TOO_LARGE"
    status = 413


def data(payload: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response({"data": payload}, status=status, headers=headers)


def error_body(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": details or {}}}


def error_response(error: MashError) -> JsonResponse:
    """The envelope outside DRF."""
    response = JsonResponse(error_body(error.code, error.message, error.details), status=error.status)
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Turns whatever a view raised into the envelope; an unexpected error is logged and told without its text."""
    if isinstance(error, MashError):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        if "retry_after_s" in error.details:
            headers["Retry-After"] = str(error.details["retry_after_s"])
        return Response(error_body(error.code, error.message, error.details), status=error.status, headers=headers)
    if isinstance(error, exceptions.APIException):
        return _framework_error(error)
    if isinstance(error, Http404):
        return Response(error_body("NOT_FOUND", "There is nothing here."), status=404)
    if isinstance(error, RequestDataTooBig):
        return Response(error_body("PAYLOAD_TOO_LARGE", "The body is too large."), status=413)
    if isinstance(error, SuspiciousOperation):
        return Response(error_body("BAD_REQUEST", "The body holds more parts than are taken."), status=400)
    return _unexpected(error)


def _framework_error(error: exceptions.APIException) -> Response:
    headers = {}
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(getattr(error, "allowed", ()))
    code = _CODES.get(error.status_code, "ERROR")
    return Response(error_body(code, str(error.detail)), status=error.status_code, headers=headers)


def _unexpected(error: Exception) -> Response:
    logger.error("Unexpected error in an API view", exc_info=error)
    if isinstance(error, OperationalError):
        body = error_body("RUNTIME_NOT_READY", "The database cannot be reached right now; try again.")
        return Response(body, status=503, headers={"Retry-After": "1"})
    return Response(error_body("INTERNAL_ERROR", "Something went wrong on our side."), status=500)
