"""The prices that a workspace sets itself, and the models that wait for one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from runtime.models import PriceOverride
from runtime.usage.prices import forget_overrides, has_price
from workspaces import audit
from workspaces.models import Workspace

_LOOKED_BACK = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedModel:
    provider: str
    model: str
    calls: int
    """That are missing from the cost."""


def unpriced_models(workspace: Workspace) -> list[UnpricedModel]:
    """Those of the last 90 days whose next call would have no price either, the most called first."""
    now = timezone.now()
    recent = workspace.daily_usage.filter(day__gte=(now - _LOOKED_BACK).date(), unknown_price_calls__gt=0)
    sums = recent.order_by().values("provider", "model").annotate(calls=Sum("unknown_price_calls")).order_by("-calls")
    return [
        UnpricedModel(provider=row["provider"], model=row["model"], calls=row["calls"])
        for row in sums
        if not has_price(workspace, row["provider"], row["model"], at=now)
    ]


def save_price(price: PriceOverride, *, changed: Collection[str], actor: str) -> None:
    """Sets a new price, or changes one."""
    is_new = price.pk is None
    with transaction.atomic():
        if is_new:
            price.save(force_insert=True)
        else:
            price.save(update_fields=list(changed))
        _record(price, "price.added" if is_new else "price.changed", actor)
    forget_overrides(price.workspace)


def remove_price(price: PriceOverride, *, actor: str) -> None:
    """Calls to come have the public price again; what was counted stays."""
    with transaction.atomic():
        _record(price, "price.removed", actor)
        price.delete()
    forget_overrides(price.workspace)


def _record(price: PriceOverride, action: str, actor: str) -> None:
    details = {
        "input_usd": str(price.input_usd),
        "output_usd": str(price.output_usd),
        "from": str(price.valid_from),
    }
    audit.record(price.workspace, actor=actor, action=action, target=price.model_pattern, details=details)
