"""The canonical log of a request, a page at a time (contract 10.2, timeline)."""

from collections.abc import Mapping
from typing import Any

from runtime.models import AgentRequest
from runtime.traces.serialise import event_rows
from telemetry.query.pages import Page

EVENTS_PER_PAGE = 200


def read_events(agent_request: AgentRequest, parameters: Mapping[str, str]) -> Page[dict[str, Any]]:
    """One page of the log by sequence, of one type where that is asked for."""
    log = agent_request.events.select_related("agent_request").order_by("sequence")
    if kind := parameters.get("type"):
        log = log.filter(event_type__startswith=kind)
    after = parameters.get("after", "")
    if after.isdecimal() and len(after) < 10:
        log = log.filter(sequence__gt=int(after))
    found = list(log[: EVENTS_PER_PAGE + 1])
    shown = found[:EVENTS_PER_PAGE]
    rows = event_rows(agent_request.workspace, shown)
    began = agent_request.accepted_at.timestamp()
    # Before the first of a later page there is an event that is not shown.
    before = [None if after else began, *(row["created_at"] for row in rows)]
    told = [
        {
            **row,
            "offset_s": row["created_at"] - began,
            "delta_s": None if earlier is None else row["created_at"] - earlier,
            "category": row["event_type"].partition(".")[0],
        }
        for row, earlier in zip(rows, before, strict=False)
    ]
    return Page(told, str(shown[-1].sequence) if len(found) > EVENTS_PER_PAGE else "")
