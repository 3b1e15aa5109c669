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


def guarded(context: ToolContext, text: str = "") -> str:
    """Give the text back, once a person has approved it.

    Args:
        text: What to give back.
    """
    calls.append(context.idempotency_key)
    return text


def patient(context: ToolContext) -> str:
    """Work until told to stop."""
    calls.append(context.idempotency_key)
    context.stop.wait(30)
    return "stopped"


TEST_TOOLS = ("echo", "echo_again", "need", "explode")

offer_tool(function_tool(echo))
offer_tool(function_tool(echo, name="echo_again", crash_policy="idempotent"))
offer_tool(function_tool(need))
offer_tool(function_tool(explode))
offer_tool(function_tool(guarded, requires_approval=True))
offer_tool(function_tool(guarded, name="delicate", crash_policy="ask"))
offer_tool(function_tool(patient))
