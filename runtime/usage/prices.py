"""What a model call costs: the workspace's own prices first, then the public list that comes with `genai-prices`.

The list is the library's own snapshot; nothing is fetched. A price that nobody knows is None, never zero.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase

import genai_prices
from django.core.cache import cache

from agents.llm.types import LLMTokenUsage
from runtime.models import PriceOverride
from workspaces.models import Workspace

SMALLEST = Decimal("0.000000001")
_MILLION = Decimal(1_000_000)
# How long a process may go on with the prices that it has read.
_FRESH_S = 10
# Kinds of providers whose prices stand in the list under a vendor's name
_VENDORS = {"openai_chat": "openai"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The cost of one call. `version` names the list or override that it comes from."""

    cost_usd: Decimal | None
    version: str | None = None

    @property
    def is_known(self) -> bool:
        return self.cost_usd is not None


UNKNOWN = Price(cost_usd=None)


def price_of(workspace: Workspace, provider: str, model: str, usage: LLMTokenUsage, *, at: datetime) -> Price:
    """The price of the call, cached and reasoning tokens at their own rates. Unknown when price or token counts are."""
    if provider == "demo":
        return Price(cost_usd=Decimal(0), version="demo")
    if not _is_plausible(usage):
        return UNKNOWN
    for override in _overrides(workspace):
        if _applies(override, provider, model, at):
            return Price(cost_usd=_own_price(override, usage), version=f"workspace/{override.pk}")
    return _list_price(provider, model, usage, at)


def has_price(workspace: Workspace, provider: str, model: str, *, at: datetime) -> bool:
    """Whether a call of this model could be priced."""
    return price_of(workspace, provider, model, LLMTokenUsage(input_tokens=1, output_tokens=1), at=at).is_known


def forget_overrides(workspace: Workspace) -> None:
    """Lets this process read the workspace's prices anew at once."""
    cache.delete(_cache_key(workspace))


def _overrides(workspace: Workspace) -> list[PriceOverride]:
    """Newest first, and the more exact pattern first; read at most every few seconds, for every model call asks."""
    found: list[PriceOverride] | None = cache.get(_cache_key(workspace))
    if found is None:
        found = list(workspace.price_overrides.all())
        found.sort(key=lambda override: (override.valid_from, len(override.model_pattern)), reverse=True)
        cache.set(_cache_key(workspace), found, _FRESH_S)
    return found


def _cache_key(workspace: Workspace) -> str:
    return f"prices:{workspace.host_id}"


def _applies(override: PriceOverride, provider: str, model: str, at: datetime) -> bool:
    return (
        override.valid_from <= at
        and override.provider in {"", provider}
        and fnmatchcase(model.lower(), override.model_pattern.lower())
    )


def _own_price(override: PriceOverride, usage: LLMTokenUsage) -> Decimal:
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    plain = (usage.input_tokens or 0) - read - written
    read_usd = override.input_usd if override.cache_read_usd is None else override.cache_read_usd
    write_usd = override.input_usd if override.cache_write_usd is None else override.cache_write_usd
    dollars: Decimal = plain * override.input_usd + read * read_usd + written * write_usd
    dollars += (usage.output_tokens or 0) * override.output_usd
    return (dollars / _MILLION).quantize(SMALLEST)


def _list_price(provider: str, model: str, usage: LLMTokenUsage, at: datetime) -> Price:
    used = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens or None,
        cache_write_tokens=usage.cache_write_tokens or None,
        output_reasoning_tokens=usage.reasoning_tokens or None,
    )
    try:
        found = genai_prices.calc_price(
            used, model, provider_id=_VENDORS.get(provider, provider), genai_request_timestamp=at
        )
    except (LookupError, ValueError):
        return UNKNOWN
    return Price(cost_usd=found.total_price.quantize(SMALLEST), version=f"genai-prices/{genai_prices.__version__}")


def _is_plausible(usage: LLMTokenUsage) -> bool:
    """Both counts are there, and no part is larger than its whole."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return False
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    return cached <= usage.input_tokens and (usage.reasoning_tokens or 0) <= usage.output_tokens
