"""The OpenAPI document at `/openapi.json` and its page at `/docs`."""

from typing import Any

from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

Schema = dict[str, Any]

_ERROR_RESPONSE = {"$ref": "#/components/responses/Error"}
_ERROR_ENVELOPE: Schema = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string", "description": "Stable; programs may depend on it."},
                "message": {"type": "string", "description": "Written for people, and safe to show."},
                "details": {"type": "object", "additionalProperties": {}},
            },
        }
    },
}
_STREAM_TEXT = """Server-sent events. Reconnect with `Last-Event-ID` to go on after the last frame; nothing is lost or
repeated. A comment every 15 seconds keeps proxies awake."""


class DocsView(SpectacularSwaggerSplitView):
    """Swagger's page without inline style or script, which the site's content security policy forbids."""

    template_name = "docs.html"


openapi_document = SpectacularJSONAPIView.as_view()
docs = DocsView.as_view(url_name="openapi")


def add_streams(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """The streams are ASGI handlers, which the generator does not see."""
    agent = "/api/v1/agent/{agent_id}"
    result["paths"][f"{agent}/request/{{request_id}}/events"] = {
        "get": _stream(
            "stream_request",
            "Follow a request: every event of its log, and the end after a terminal one.",
            path={"agent_id": {"type": "string"}, "request_id": {"type": "string", "format": "uuid"}},
            cursor="after_seq",
            empty="The cursor is the head of a request that has ended: there is nothing to wait for.",
        )
    }
    result["paths"][f"{agent}/sessions/{{session_id}}/events"] = {
        "get": _stream(
            "stream_session",
            "Follow a session: the events of all its requests, without an end.",
            path={"agent_id": {"type": "string"}, "session_id": {"type": "string"}},
            cursor="after_event_id",
        )
    }
    result["paths"]["/api/v1/workflows/{workflow_id}/runs/{run_id}/events"] = {
        "get": _stream(
            "stream_workflow_run",
            "Follow a run: every event of its log, and the end after a terminal one.",
            path={"workflow_id": {"type": "string"}, "run_id": {"type": "string"}},
            cursor="after_seq",
            empty="The cursor is the head of a run that has ended: there is nothing to wait for.",
        )
    }
    result["paths"]["/api/v1/telemetry/events/stream"] = {"get": _event_stream()}
    result["paths"]["/api/v1/telemetry/api/events/stream"] = {"get": _api_event_stream()}
    return result


def add_errors(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Every operation of the API may answer an error, always in the same envelope."""
    components = result["components"]
    components["schemas"]["Error"] = _ERROR_ENVELOPE
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    components["responses"] = {"Error": {"description": "An error, in its envelope.", "content": content}}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _error_statuses(path, method, operation):
                operation["responses"].setdefault(status, _ERROR_RESPONSE)
    return result


def _error_statuses(path: str, method: str, operation: Schema) -> list[str]:
    statuses = ["401", "403"]
    if "{" in path or "/telemetry/" in path:
        statuses.append("404")
    if operation.get("parameters"):
        statuses.append("422")
    if "/telemetry/" in path:
        statuses += ["400", "503"]
    if path.endswith("/events") and "{" in path:
        statuses.append("409")
    if method == "post":
        statuses += ["400", "409", "413", "415", "422", "429", "503"]
    return statuses


def _event_stream() -> Schema:
    """Of many requests and for programs of telemetry: begins with what is new, and knows cancelled requests anyway."""
    operation = _stream(
        "stream_events",
        "Follow the workspace's log from now on, or after a cursor: unnamed frames, one event each, without an end.",
        path={},
        cursor="after_event_id",
    )
    filters = {"agent_id": "this agent", "session_id": "this session", "trace_id": "this trace"}
    kept = [parameter for parameter in operation["parameters"] if parameter["name"] != "events"]
    operation["parameters"] = kept + [
        {"name": name, "in": "query", "schema": {"type": "string"}, "description": f"Only events of {what}."}
        for name, what in filters.items()
    ]
    operation["tags"] = ["telemetry"]
    return operation


def _api_event_stream() -> Schema:
    operation = _stream(
        "stream_api_events",
        "Follow the API log from now on, or after a cursor: unnamed frames, one answered call each, without an end.",
        path={},
        cursor="after_event_id",
    )
    operation["parameters"] = [parameter for parameter in operation["parameters"] if parameter["name"] != "events"]
    operation["tags"] = ["telemetry"]
    return operation


def _stream(operation_id: str, description: str, *, path: dict[str, Schema], cursor: str, empty: str = "") -> Schema:
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": schema} for name, schema in path.items()
    ]
    number = {"type": "integer", "minimum": 0}
    parameters += [
        {"name": "Last-Event-ID", "in": "header", "schema": number, "description": "Wins over the query parameter."},
        {"name": cursor, "in": "query", "schema": number},
        {
            "name": "events",
            "in": "query",
            "schema": {"type": "string", "enum": ["2"]},
            "description": "`2`: the client knows `request.cancelled`; else it comes as `request.error`.",
        },
    ]
    content = {"text/event-stream": {"schema": {"type": "string"}}}
    responses: Schema = {"200": {"description": _STREAM_TEXT, "content": content}}
    if empty:
        responses["204"] = {"description": empty}
    return {
        "operationId": operation_id,
        "description": description,
        "tags": ["agent"],
        "parameters": parameters,
        "security": [{"bearer": []}, {"apiKey": []}],
        "responses": responses,
    }
