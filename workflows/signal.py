"""Tells a run that something has happened that it may wait for."""

from typing import Any

from django.db import transaction

from runtime import events, queue
from runtime.models import AgentRequest
from workflows import log
from workflows.errors import RunEnded
from workflows.models import WorkflowRun


def signal_run(run: WorkflowRun, name: str, payload: Any, *, by: str) -> AgentRequest:
    """Kept until a step waits for it; each step that waits takes one. Raises `RunEnded`."""
    workspace = run.workspace
    with transaction.atomic():
        rows = workspace.agent_requests.filter(pk=run.pk)
        row = rows.with_agent().select_for_update(of=("self",), no_key=True).get()
        if row.is_terminal:
            raise RunEnded(f"The run is {row.status}; nothing in it waits for a signal.")
        events.append(row, [log.signalled(name, events.storable(payload), by=by)])
        rows.update(is_due=True)
        queue.enqueue(row)
    return row
