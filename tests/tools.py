"""Tools that tests give to their agents; each says what it was called with, so that a second call shows."""

from agents.catalogue import offer_tool
from agents.tools.context import ToolContext
from agents.tools.function import function_tool

calls: list[str] = []
"""The idempotency keys of all calls in this process, in order."""


def echo(context: ToolContext, text: str = "") -> str:
    """Give the text back.

    Args:
        text: What to give back.
    """
    calls.append(context.idempotency_key)
    return text


def need(context: ToolContext, text: str) -> str:
    """Give the text back, which must be there.

    Args:
        text: What to give back.
    """
    calls.append(context.idempotency_key)
    return text


def explode(context: ToolContext) -> str:
    """Fail in a way that the tool's author did not think of."""
    calls.append(context.idempotency_key)
    raise ZeroDivisionError("seven")


TEST_TOOLS = ("echo", "echo_again", "need", "explode")

offer_tool(function_tool(echo))
offer_tool(function_tool(echo, name="echo_again", crash_policy="idempotent"))
offer_tool(function_tool(need))
offer_tool(function_tool(explode))
