"""Reads a server's listing, within bounds."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import mcp_types

from agents.json_schema import schema_fault
from agents.mcp.remote_tool import RemoteTool

MAX_TOOLS = 128
_MAX_NAME = 200
_MAX_DESCRIPTION = 8_000
_MAX_SCHEMA = 64_000
_HINTS = ("read_only_hint", "destructive_hint", "idempotent_hint")


def usable(listed: Iterable[mcp_types.Tool]) -> Iterator[RemoteTool]:
    """The tools that can be offered: each name once, sizes within bounds, the schema one of an object."""
    seen: set[str] = set()
    for tool in listed:
        if tool.name in seen or not 0 < len(tool.name) <= _MAX_NAME:
            continue
        seen.add(tool.name)
        schema = {"properties": {}, **tool.input_schema, "type": "object"}
        if len(json.dumps(schema)) <= _MAX_SCHEMA and not schema_fault(schema):
            yield RemoteTool(tool.name, _definition(tool, schema))


def _definition(tool: mcp_types.Tool, schema: dict[str, Any]) -> dict[str, Any]:
    hints = {name: getattr(tool.annotations, name, None) for name in _HINTS}
    return {
        "description": _storable((tool.description or tool.title or "")[:_MAX_DESCRIPTION]),
        "input_schema": json.loads(_storable(json.dumps(schema))),
        "annotations": {name: value for name, value in hints.items() if value is not None},
    }


def _storable(text: str) -> str:
    """Without what PostgreSQL cannot keep and no model needs: NUL and lone surrogates."""
    return text.replace("\\u0000", "").replace("\x00", "").encode("utf-8", "replace").decode()
