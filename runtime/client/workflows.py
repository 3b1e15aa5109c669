"""The part of the API client that is about workflows (contract 2.2.9 to 2.2.11 and what goes beyond)."""

from typing import Any

from runtime.client.stream import RequestStream
from runtime.client.transport import PREFIX, Transport, quoted


class WorkflowCalls:
    """What `MashClient` can do with workflows and their runs."""

    _transport: Transport

    def list_workflows(self) -> dict[str, Any]:
        return self._transport.call("GET", "/workflows")

    def run_workflow(self, workflow_id: str, *, dedup_key: str | None = None, given: Any = None) -> dict[str, Any]:
        """Starts a run; `given` is its input."""
        body = {"dedup_key": dedup_key, "input": {} if given is None else given}
        return self._transport.call("POST", f"{_workflow(workflow_id)}/run", json=body)

    def get_workflow_run(self, workflow_id: str, run_id: str) -> dict[str, Any]:
        return self._transport.call("GET", _run(workflow_id, run_id))

    def list_workflow_runs(self, workflow_id: str, *, limit: int | None = None) -> dict[str, Any]:
        """Newest first."""
        parameters = {} if limit is None else {"limit": limit}
        return self._transport.call("GET", f"{_workflow(workflow_id)}/runs", params=parameters)

    def cancel_workflow_run(self, workflow_id: str, run_id: str) -> dict[str, Any]:
        return self._transport.call("POST", f"{_run(workflow_id, run_id)}/cancel")

    def resume_workflow_run(self, workflow_id: str, run_id: str) -> dict[str, Any]:
        return self._transport.call("POST", f"{_run(workflow_id, run_id)}/resume")

    def open_run_stream(self, workflow_id: str, run_id: str) -> RequestStream:
        """The run's events to its end; another thread may `stop()` it."""
        return RequestStream(self._transport.http, f"{PREFIX}{_run(workflow_id, run_id)}/events")


def _workflow(workflow_id: str) -> str:
    return f"/workflows/{quoted(workflow_id)}"


def _run(workflow_id: str, run_id: str) -> str:
    return f"{_workflow(workflow_id)}/runs/{quoted(run_id)}"
