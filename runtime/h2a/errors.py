"""Errors as H2A tells them: `{"error": {"code", "message"}}`, without details, and with codes of its own."""

from typing import Any

from rest_framework.response import Response

from workspaces.api.envelope import InvalidBody, exception_handler
from workspaces.errors import MashError


class RouteNotFound(MashError):
    """Not an agent of the workspace, not this agent's path, or no path at all."""

    code = "ROUTE_NOT_FOUND"
    status = 404


def bare(error: MashError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message}}


def bare_exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    response = exception_handler(error, context)
    response.data["error"].pop("details", None)
    if isinstance(error, InvalidBody):
        is_json = error.details["errors"][0]["type"] != "json_invalid"
        response.data["error"]["code"] = "INVALID_REQUEST" if is_json else "INVALID_JSON"
        response.status_code = 400
    return response
