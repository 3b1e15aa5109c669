"""The tools of one agent, by name, in the order in which the model sees them."""

import inspect
from collections.abc import Iterable
from typing import Any

from agents.tools.base import Tool


class ToolRegistry:
    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self.register(tool)

    def register(self, tool: Tool) -> None:
        """Adds a tool; a second one of the same name is a `ValueError`."""
        if tool.name in self._tools:
            raise ValueError(f"A tool named {tool.name!r} is registered already.")
        self._tools[tool.name] = tool

    def unregister(self, name: str) -> None:
        self._tools.pop(name, None)

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def list_tools(self) -> list[Tool]:
        return list(self._tools.values())

    def to_llm_format(self) -> list[dict[str, Any]]:
        return [tool.to_llm_format() for tool in self._tools.values()]

    async def shutdown(self) -> None:
        """Calls on each tool the first of `shutdown`, `close` and `aclose` that it has."""
        for tool in self._tools.values():
            for name in ("shutdown", "close", "aclose"):
                end = getattr(tool, name, None)
                if callable(end):
                    outcome = end()
                    if inspect.isawaitable(outcome):
                        await outcome
                    break

    def __len__(self) -> int:
        return len(self._tools)

    def __contains__(self, name: object) -> bool:
        return name in self._tools
