"""The tools of the demo's agents. They are remembered, not offered: nothing here can be called any more."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from agents.tools.ask_user import ASK_USER
from agents.tools.base import Tool, ToolResult
from agents.tools.subagent import INVOKE_SUBAGENT

Arguments = dict[str, Any]


class RememberedTool(Tool):
    """Name and schema, as the model was told of them."""

    def __init__(self, name: str, description: str, *argument_names: str, parallel_safe: bool = True) -> None:
        self.name, self.description, self.parallel_safe = name, description, parallel_safe
        properties = {argument: {"type": "string"} for argument in argument_names}
        self.parameters = {"type": "object", "properties": properties, "required": list(argument_names)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """One tool and what its calls look like."""

    tool: RememberedTool
    arguments: Callable[[Random], Arguments]
    content: Callable[[Random, Arguments], str]
    error: str
    error_chance: float = 0.04
    seconds: float = 0.4


def _order(rng: Random) -> str:
    return f"A-{rng.randrange(10_000, 99_999)}"


def _found_orders(rng: Random, _: Arguments) -> str:
    orders = [
        {"order": _order(rng), "amount_eur": rng.randrange(500, 90_000) / 100, "state": rng.choice(("paid", "sent"))}
        for _ in range(rng.randrange(1, 5))
    ]
    return json.dumps({"orders": orders, "more": False})


def _rows(rng: Random, _: Arguments) -> str:
    rows = [[f"LX-{rng.randrange(100, 999)}", rng.randrange(0, 400), round(rng.random() * 9, 2)] for _ in range(8)]
    return json.dumps({"columns": ["article", "pieces", "days_late"], "rows": rows})


PROPS = {
    prop.tool.name: prop
    for prop in (
        Prop(
            tool=RememberedTool("search_orders", "Orders of a customer, newest first.", "customer"),
            arguments=lambda rng: {"customer": f"c-{rng.randrange(1000, 9999)}"},
            content=_found_orders,
            error="TimeoutError: orders.internal did not answer within 5 s",
        ),
        Prop(
            tool=RememberedTool("get_order", "One order with its parcels.", "order"),
            arguments=lambda rng: {"order": _order(rng)},
            content=lambda rng, given: json.dumps({**given, "state": "sent", "parcels": rng.randrange(1, 4)}),
            error='{"status": 404, "title": "No such order"}',
            error_chance=0.07,
            seconds=0.2,
        ),
        Prop(
            tool=RememberedTool("refund_order", "Pays an order back.", "order", "amount_eur", parallel_safe=False),
            arguments=lambda rng: {"order": _order(rng), "amount_eur": f"{rng.randrange(500, 30_000) / 100:.2f}"},
            content=lambda rng, given: json.dumps({**given, "refund": f"R-{rng.randrange(10_000)}"}),
            error="The payment provider refused: card_expired",
            seconds=1.1,
        ),
        Prop(
            tool=RememberedTool("search_docs", "Pages of the handbook that match.", "query"),
            arguments=lambda rng: {
                "query": rng.choice(("returns policy", "carrier contracts", "lamp LX-204 spare part"))
            },
            content=lambda rng, _: "\n\n".join(
                f"## Page {rng.randrange(1, 400)}\nReturns are possible for {days} days. See also page {days + 3}."
                for days in (14, 30)
            ),
            error="IndexError: the index is being rebuilt",
            seconds=0.8,
        ),
        Prop(
            tool=RememberedTool("fetch_page", "The text of a web page.", "url"),
            arguments=lambda rng: {
                "url": f"https://docs.example.com/handbook/{rng.randrange(1, 90)}?session={'x' * 60}"
            },
            content=lambda rng, given: f"<html><body onload=alert(1)>{given['url']} " + "Lorem ipsum dolor. " * 40,
            error="HTTP 503 from docs.example.com",
            error_chance=0.09,
            seconds=1.6,
        ),
        Prop(
            tool=RememberedTool("run_sql", "Rows of a read-only query.", "sql"),
            arguments=lambda rng: {
                "sql": f"SELECT article, pieces FROM stock WHERE depot = {rng.randrange(40)} LIMIT 8"  # noqa: S608  never run
            },
            content=_rows,
            error='ERROR: column "peices" does not exist\nLINE 1: SELECT article, peices FROM stock\n                        ^',
            error_chance=0.08,
            seconds=0.9,
        ),
        Prop(
            tool=RememberedTool("current_time", "The current date and time."),
            arguments=lambda _: {},
            content=lambda rng, _: (
                f"Monday, 2026-11-23 {rng.randrange(8, 20):02}:{rng.randrange(60):02}:07 UTC (UTC+0000)"
            ),
            error="Unknown time zone",
            error_chance=0.0,
            seconds=0.01,
        ),
        Prop(
            tool=RememberedTool("calculate", "The value of an arithmetic expression.", "expression"),
            arguments=lambda rng: {"expression": f"{rng.randrange(2, 900)} * {rng.randrange(2, 90)} / 100"},
            content=lambda rng, _: str(rng.randrange(1, 9000)),
            error="division by zero",
            seconds=0.01,
        ),
    )
}


def arguments_of(rng: Random, name: str) -> Arguments:
    """What a model would call it with."""
    return PROPS[name].arguments(rng)


def result_of(rng: Random, name: str, arguments: Arguments) -> ToolResult:
    """What the tool answered, now and then an error."""
    prop = PROPS.get(name)
    if prop is None:
        return ToolResult.error(f"There is no tool {name!r}.")
    if rng.random() < prop.error_chance:
        return ToolResult.error(prop.error)
    return ToolResult.success(prop.content(rng, arguments))


def seconds_of(rng: Random, name: str) -> float:
    prop = PROPS.get(name)
    return rng.lognormvariate(0, 0.6) * prop.seconds if prop else 0.001


QUESTION = {
    ASK_USER: {"question": "Shall I replace the lamp or refund it?", "options": ["Replace it", "Refund it", "Neither"]}
}
"""What the model asks a person, by tool."""
TASKS = (
    "Find out whether the part is still made, and since when not.",
    "Count the late parcels of last week by city.",
    "Look for what the handbook says about broken goods, and quote it.",
)
RESERVED = (ASK_USER, INVOKE_SUBAGENT)
