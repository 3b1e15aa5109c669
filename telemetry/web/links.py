"""Addresses of lists that show the very rows which a figure has counted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from telemetry.query.ranges import TimeRange
from telemetry.web.visit import Visit


def requests_link(visit: Visit, **parameters: str) -> str:
    """The list of requests with these filters; empty ones are left out."""
    told = {name: value for name, value in parameters.items() if value}
    return f"{visit.link('requests')}?{urlencode(told)}" if told else visit.link("requests")


def span_parameters(span: TimeRange) -> Mapping[str, str]:
    """A preset stays relative when the link is shared, exact ends stay exact."""
    if span.preset:
        return {"range": span.preset}
    return {"from": stamp(span.since), "to": stamp(span.until)}


def stamp(at: datetime | None) -> str:
    """A time in UTC, as addresses have it; empty for an open end."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() if at else ""
