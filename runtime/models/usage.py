"""What model calls have used, added up day by day, and what they cost where the public price list is not right."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from typing_extensions import override

from workspaces.models import Workspace
from workspaces.scoping import ClosedManager


class DailyUsage(models.Model):
    """The model calls of one day by agent, end user and model: a sum of the log, kept in the log's own transactions.

    Each sum is spread over a few rows, so that the turns of a busy agent do not queue for one of them.
    """

    SHARDS = 16

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="daily_usage")
    day = models.DateField(help_text="UTC")
    agent_name = models.CharField(max_length=200)
    user = models.CharField(max_length=255, blank=True)
    provider = models.CharField(max_length=50)
    model = models.CharField(max_length=200)
    shard = models.PositiveSmallIntegerField()
    model_calls = models.BigIntegerField(default=0)
    unknown_price_calls = models.BigIntegerField(default=0, help_text="Calls that are missing from the cost.")
    input_tokens = models.BigIntegerField(default=0, help_text="Cached ones included.")
    output_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=18, decimal_places=9, default=0)

    rows = models.Manager["DailyUsage"]()
    objects = ClosedManager()

    class Meta:
        verbose_name = "usage of a day"
        verbose_name_plural = "daily usage"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "day", "agent_name", "user", "provider", "model", "shard"],
                name="daily_usage_unique",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.day} {self.agent_name} {self.model}"


def _price(help_text: str, *, optional: bool = False) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=optional,
        blank=optional,
        validators=[MinValueValidator(0)],
        help_text=help_text,
    )


class PriceOverride(models.Model):
    """What a workspace pays for some models, where the public price list does not know them or is not what it pays."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="price_overrides")
    provider = models.CharField(max_length=50, blank=True, help_text="Empty: any provider.")
    model_pattern = models.CharField(max_length=200, help_text="A model's name; * stands for any characters.")
    input_usd = _price("US dollars per million input tokens.")
    output_usd = _price("US dollars per million output tokens, reasoning included.")
    cache_read_usd = _price("Per million tokens read from a cache. Empty: as other input.", optional=True)
    cache_write_usd = _price("Per million tokens written to a cache. Empty: as other input.", optional=True)
    valid_from = models.DateTimeField(help_text="Calls before this time keep the price that they had.")

    rows = models.Manager["PriceOverride"]()
    objects = ClosedManager()

    class Meta:
        ordering = ["-valid_from", "-id"]
        verbose_name = "price"
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "provider", "model_pattern", "valid_from"],
                name="price_override_unique",
                violation_error_message="There is a price for these models from this time on.",
            ),
        ]

    @override
    def __str__(self) -> str:
        return f"{self.model_pattern} from {self.valid_from:%Y-%m-%d}"
