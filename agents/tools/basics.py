"""Two small tools that every deployment offers."""

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simpleeval import InvalidExpression, simple_eval

from agents.tools.base import Tool, ToolResult
from agents.tools.function import function_tool


def current_time(timezone: str = "UTC") -> ToolResult:
    """Tell the current date and time.

    Args:
        timezone: IANA time zone name, such as Europe/Paris.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ToolResult.error(f"Unknown time zone {timezone!r}; use an IANA name such as Europe/Paris.")
    return ToolResult.success(datetime.now(zone).strftime("%A, %Y-%m-%d %H:%M:%S %Z (UTC%z)"))


def calculate(expression: str) -> ToolResult:
    """Evaluate an arithmetic expression exactly as a calculator does.

    Args:
        expression: Numbers with + - * / // % ** and parentheses, such as (17.5 + 3) * 2.
    """
    try:
        return ToolResult.success(str(simple_eval(expression[:500], functions={}, names={})))
    except (InvalidExpression, ArithmeticError, SyntaxError, TypeError, ValueError, RecursionError) as error:
        return ToolResult.error(f"Cannot calculate {expression[:100]!r}: {error}")


def basic_tools() -> list[Tool]:
    return [
        function_tool(current_time, crash_policy="idempotent", parallel_safe=True),
        function_tool(calculate, crash_policy="idempotent", parallel_safe=True),
    ]
