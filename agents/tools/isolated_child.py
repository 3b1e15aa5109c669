"""The other side of `agents.tools.isolated`: runs one call, and answers on what was its standard output."""

import asyncio
import json
import os
import pickle
import sys
from collections.abc import Awaitable
from typing import Any

from agents.tools.base import ToolResult
from agents.tools.context import ToolContext
from agents.tools.outcome import bounded


def main() -> None:
    # What the tool prints must not mix with the answer.
    with os.fdopen(os.dup(1), "w") as answer, open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        result = _execute()
        json.dump({"content": result.content, "is_error": result.is_error, "metadata": result.metadata}, answer)


def _execute() -> ToolResult:
    try:
        tool, args, facts = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own parent
        outcome: Any = tool.execute(args, ToolContext(**facts))
        if isinstance(outcome, Awaitable):
            outcome = asyncio.run(_awaited(outcome))
    except Exception as error:  # a tool is foreign code: whatever it raises is told to the model
        return ToolResult.error(f"{type(error).__name__}: {error}")
    return bounded(outcome, tool.name)


async def _awaited(outcome: Awaitable[Any]) -> Any:
    return await outcome


if __name__ == "__main__":
    main()
