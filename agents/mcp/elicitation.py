"""A server's question to a person, which becomes an interaction of the request (contract 5.14 [P])."""

from collections.abc import Mapping
from typing import Any

import mcp_types

from agents.json_schema import faults_of, schema_fault
from agents.mcp.errors import McpError
from agents.tools.context import AskPerson

_MOST_CHARACTERS = 4_000
_MOST_OPTIONS = 20


def elicit(ask: AskPerson, server_name: str, params: mcp_types.ElicitRequestFormParams) -> mcp_types.ElicitResult:
    """What the person answered. Silence and a stopped request are a cancellation, an empty answer declines."""
    schema = {**params.requested_schema, "type": "object"}
    if schema_fault(schema):
        raise McpError("The requested schema is not a JSON Schema.")
    prompt = f"The server {server_name} asks: {params.message[:_MOST_CHARACTERS]}"
    field, options = _single_choice(schema)
    answer = ask(prompt, options=options) if options else ask(prompt, schema=schema)
    if answer.state != "answered":
        return mcp_types.ElicitResult(action="cancel")
    said = answer.response
    content = {field: said[0]} if options and isinstance(said, list) and said else said
    if not isinstance(content, dict) or not content or faults_of(schema, content):
        return mcp_types.ElicitResult(action="decline")
    return mcp_types.ElicitResult(action="accept", content=content)


def _single_choice(schema: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The field and the options of a form that only asks to pick one of a few texts."""
    properties = schema.get("properties", {})
    if len(properties) == 1:
        [(name, field)] = properties.items()
        options = field.get("enum") if isinstance(field, dict) else None
        if isinstance(options, list) and 0 < len(options) <= _MOST_OPTIONS:
            return (name, options) if all(isinstance(option, str) for option in options) else ("", [])
    return "", []
