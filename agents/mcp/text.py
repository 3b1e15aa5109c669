"""What a tool of a server answered, as text for a model (contract 5.14)."""

import json

import mcp_types

from agents.tools.base import ToolResult


def as_tool_result(result: mcp_types.CallToolResult) -> ToolResult:
    parts = [part for part in (_text(item) for item in result.content) if part]
    if not parts and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    text = "\n".join(parts) or "The tool answered nothing."
    return ToolResult.error(text) if result.is_error else ToolResult.success(text)


def _text(item: mcp_types.ContentBlock) -> str:
    """Text as it is; of anything else only what it was."""
    match item:
        case mcp_types.TextContent():
            return item.text
        case mcp_types.ImageContent() | mcp_types.AudioContent():
            return f"[{item.type}, {item.mime_type}: not shown]"
        case mcp_types.ResourceLink():
            return f"[resource {item.uri}]"
        case mcp_types.EmbeddedResource(resource=mcp_types.TextResourceContents() as resource):
            return f"[resource {resource.uri}]\n{resource.text}"
        case mcp_types.EmbeddedResource():
            return f"[resource {item.resource.uri}: not shown]"
