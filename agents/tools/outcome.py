"""Keeps what a tool answers within bounds, so that neither the model's context nor the log can be flooded."""

import json
from typing import Any

from agents.tools.base import ToolResult

MAX_OUTPUT_BYTES = 64 * 1024
MAX_METADATA_BYTES = 8 * 1024


def bounded(result: Any, name: str) -> ToolResult:
    """The result with at most 64 kB of text and 8 kB of JSON as metadata; what is no result is an error."""
    if not isinstance(result, ToolResult):
        return ToolResult.error(f"{name} answered with {type(result).__name__} in place of a ToolResult.")
    return ToolResult(_cut(str(result.content)), bool(result.is_error), _small(result.metadata))


def _cut(content: str) -> str:
    # Names of files and answers of other servers may hold half characters, which no provider takes.
    content = content.encode("utf-8", "replace").decode()
    if len(content) * 4 <= MAX_OUTPUT_BYTES:
        return content
    encoded = content.encode()
    if len(encoded) <= MAX_OUTPUT_BYTES:
        return content
    shown = encoded[:MAX_OUTPUT_BYTES].decode("utf-8", "ignore")
    return f"{shown}\n[cut: {len(encoded)} bytes, of which the first {MAX_OUTPUT_BYTES} are shown]"


def _small(metadata: Any) -> dict[str, Any]:
    try:
        text = json.dumps(metadata, default=str)
    except (TypeError, ValueError, RecursionError):
        return {"metadata_omitted": "not JSON"}
    if len(text) > MAX_METADATA_BYTES:
        return {"metadata_omitted": f"{len(text)} bytes"}
    content = json.loads(text)
    return content if isinstance(content, dict) else {"metadata_omitted": "not an object"}
