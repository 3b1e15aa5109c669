"""Sums of model calls, and how the API shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Self

from runtime.kinds import EventKind
from runtime.models import AgentRequest

METERED = (EventKind.THINK_COMPLETED, EventKind.COMPACTION_COMPLETED, EventKind.MCP_SAMPLED)
"""Each stands for one call that a model has answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What some model calls have used together; the names are those of the columns."""

    model_calls: int = 0
    unknown_price_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(**{name: getattr(self, name) + getattr(other, name) for name in COUNTED})

    @classmethod
    def of_call(cls, payload: Mapping[str, Any]) -> Self:
        """One call, from the payload of its event."""
        usage, cost = payload["usage"], payload.get("cost_usd")
        return cls(
            model_calls=1,
            unknown_price_calls=int(cost is None),
            cost_usd=Decimal(0) if cost is None else Decimal(str(cost)),
            **{name: usage.get(name) or 0 for name in TOKENS},
        )

    @classmethod
    def of_request(cls, agent_request: AgentRequest) -> Self:
        """What a request itself has used, without its children. A row knows that prices are missing, not how many."""
        counted = {name: getattr(agent_request, name) for name in COUNTED if name != "unknown_price_calls"}
        return cls(**counted, unknown_price_calls=int(agent_request.has_unknown_price))

    def as_json(self) -> dict[str, Any]:
        """Names of extensions 7. The cost is that of the calls with a known price."""
        return {
            "model_calls": self.model_calls,
            "input": self.input_tokens,
            "output": self.output_tokens,
            "cache_read": self.cache_read_tokens,
            "cache_write": self.cache_write_tokens,
            "reasoning": self.reasoning_tokens,
            "cost_usd": float(self.cost_usd),
            "has_unknown_price": self.unknown_price_calls > 0,
        }


COUNTED = tuple(field.name for field in fields(Totals))
TOKENS = tuple(name for name in COUNTED if name.endswith("_tokens"))


def total(parts: Iterable[Totals]) -> Totals:
    return sum(parts, start=Totals())
