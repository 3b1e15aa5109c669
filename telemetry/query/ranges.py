"""Spans of time in a page's address: a preset that stays relative when shared, or exact ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_datetime

PRESETS = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
DEFAULT = "24h"
# What databases and calendars can do with a span and the one before it.
_YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """From `since` up to, and not including, `until`; None: no such end."""

    since: datetime | None
    until: datetime | None
    preset: str = ""

    @property
    def ends(self) -> tuple[datetime, datetime]:
        """Both, with now and a month before it for what is open."""
        until = self.until or timezone.now()
        return self.since or until - PRESETS["30d"], until


ALWAYS = TimeRange(since=None, until=None)


def read_range(parameters: Mapping[str, str], *, default: str = DEFAULT) -> tuple[TimeRange, list[str]]:
    """The span, and what was wrong with how it was asked for. `range=all` has no ends."""
    since, until = _moment(parameters.get("from")), _moment(parameters.get("to"))
    faults = [
        f"{name}: {parameters[name]} is no time; write it like 2026-11-23T09:30."
        for name, found in (("from", since), ("to", until))
        if parameters.get(name) and found is None
    ]
    if since or until:
        return TimeRange(since=since, until=until), faults
    preset = parameters.get("range") or default
    if preset not in (*PRESETS, "all"):
        faults.append(f"range: {preset} is unknown; choose {', '.join(PRESETS)} or all.")
        preset = default
    if preset == "all":
        return TimeRange(since=None, until=None, preset=preset), faults
    return TimeRange(since=timezone.now() - PRESETS[preset], until=None, preset=preset), faults


def _moment(text: str | None) -> datetime | None:
    try:
        found = parse_datetime(text) if text else None
    except ValueError:
        return None
    if found is None or found.year not in _YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
