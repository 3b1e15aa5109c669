"""Calls the API of a Mash deployment (contract 2.2, 9.3)."""

from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Any, Self

from runtime.client.events import RequestEvent
from runtime.client.stream import RequestStream
from runtime.client.transport import PREFIX, Transport, quoted
from runtime.client.workflows import WorkflowCalls

# The server holds a compaction's answer back for a minute.
COMPACTION_TIMEOUT_S = 75.0


class MashClient(WorkflowCalls):
    """One connection pool to one deployment; close it, or use it as a context manager."""

    def __init__(
        self, base_url: str, api_key: str = "", *, connect_timeout: float = 10.0, read_timeout: float = 30.0
    ) -> None:
        self._transport = Transport(base_url, api_key, connect_timeout=connect_timeout, read_timeout=read_timeout)
        self.base_url = self._transport.base_url
        self._call = self._transport.call

    def health(self) -> dict[str, Any]:
        return self._call("GET", "/health")

    def list_agents(self) -> dict[str, Any]:
        return self._call("GET", "/agent")

    def get_agent(self, agent_id: str) -> dict[str, Any]:
        return self._call("GET", _agent(agent_id))

    def submit_request(
        self,
        agent_id: str,
        message: str,
        session_id: str,
        *,
        options: Mapping[str, Any] | None = None,
        idempotency_key: str = "",
    ) -> dict[str, Any]:
        """Sends a message; the answer's `request_id` leads to its events. `options` are those of extensions 3."""
        body = {**(options or {}), "message": message, "session_id": session_id}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call("POST", f"{_agent(agent_id)}/request", json=body, headers=headers)

    def stream_request(
        self, agent_id: str, request_id: str, *, after_sequence: int = 0
    ) -> Generator[RequestEvent, None, None]:
        """The request's events, each once, to its end; comes back by itself after a broken connection; `close()` it to leave early."""
        return self.open_stream(agent_id, request_id, after_sequence=after_sequence).events()

    def open_stream(self, agent_id: str, request_id: str, *, after_sequence: int = 0) -> RequestStream:
        """The same for a reader on a thread of its own: another thread may `stop()` it."""
        path = f"{PREFIX}{_request(agent_id, request_id)}/events"
        return RequestStream(self._transport.http, path, after_sequence=after_sequence)

    def list_requests(
        self, agent_id: str, *, session_id: str = "", status: str = "", limit: int | None = None
    ) -> dict[str, Any]:
        """The agent's requests, newest first."""
        parameters = _given(session_id=session_id, status=status, limit=limit)
        return self._call("GET", f"{_agent(agent_id)}/requests", params=parameters)

    def request_status(self, agent_id: str, request_id: str) -> dict[str, Any]:
        return self._call("GET", _request(agent_id, request_id))

    def request_by_trace(self, agent_id: str, trace_id: str) -> dict[str, Any]:
        return self._call("GET", f"{_agent(agent_id)}/trace/{quoted(trace_id)}/status")

    def cancel_request(self, agent_id: str, request_id: str) -> dict[str, Any]:
        """Asks for the request's end, and that of what it has delegated; the row as it is then."""
        return self._call("POST", f"{_request(agent_id, request_id)}/cancel")

    def resume_request(self, agent_id: str, request_id: str) -> dict[str, Any]:
        """Lets a request that failed or was cancelled go on with what it had; its stream goes on too."""
        return self._call("POST", f"{_request(agent_id, request_id)}/resume")

    def rerun_request(self, agent_id: str, request_id: str) -> dict[str, Any]:
        """Sends the request's message again, as a new request."""
        return self._call("POST", f"{_request(agent_id, request_id)}/rerun")

    def list_interactions(self, *, state: str = "", cursor: str = "", limit: int | None = None) -> dict[str, Any]:
        """What the workspace's requests ask people, newest first."""
        return self._call("GET", "/interactions", params=_given(state=state, cursor=cursor, limit=limit))

    def answer_interaction(self, agent_id: str, request_id: str, interaction_id: str, response: Any) -> dict[str, Any]:
        """Answers a question of a request; what is a legal answer depends on its kind (extensions 5)."""
        body = {"interaction_id": interaction_id, "response": response}
        return self._call("POST", f"{_request(agent_id, request_id)}/interaction", json=body)

    def list_sessions(self, agent_id: str) -> dict[str, Any]:
        return self._call("GET", f"{_agent(agent_id)}/sessions")

    def get_session(self, agent_id: str, session_id: str) -> dict[str, Any]:
        return self._call("GET", _session(agent_id, session_id))

    def get_history(self, agent_id: str, session_id: str, *, limit: int | None = None) -> dict[str, Any]:
        """The session's turns, oldest first; with a limit the newest ones."""
        parameters = {} if limit is None else {"limit": limit}
        return self._call("GET", f"{_session(agent_id, session_id)}/history", params=parameters)

    def get_signals(self, agent_id: str, session_id: str, *, limit: int | None = None) -> dict[str, Any]:
        """What was noticed about the session's turns, oldest first; with a limit the newest ones."""
        parameters = {} if limit is None else {"limit": limit}
        return self._call("GET", f"{_session(agent_id, session_id)}/signals", params=parameters)

    def compact_session(self, agent_id: str, session_id: str, *, reason: str = "manual") -> dict[str, Any]:
        """Sums the session up, in its turn after the session's other requests.

        Waits up to a minute; then the answer holds the id of the request as which the compaction goes on.
        """
        path, body = f"{_session(agent_id, session_id)}/compact", {"reason": reason}
        return self._call("POST", path, json=body, timeout=COMPACTION_TIMEOUT_S)

    def fork_session(self, agent_id: str, session_id: str, *, after_turn_id: str = "") -> dict[str, Any]:
        """Begins a new session with a copy of this one's turns, all or those up to one of them."""
        return self._call("POST", f"{_session(agent_id, session_id)}/fork", json=_given(after_turn_id=after_turn_id))

    def erase_session(self, agent_id: str, session_id: str) -> dict[str, Any]:
        """Erases what was said in the session, for good; the answer counts what went, per table."""
        return self._call("DELETE", _session(agent_id, session_id))

    def search_memory(
        self, agent_id: str, query: str, *, session_id: str = "", limit: int | None = None
    ) -> dict[str, Any]:
        """Searches the agent's turns; a query reads `@user: words` or `@agent: words`."""
        parameters = _given(q=query, app_id=agent_id, session_id=session_id, limit=limit)
        return self._call("GET", "/telemetry/memory/search", params=parameters)

    def get_reasoning_trace(self, agent_id: str, session_id: str, trace_id: str) -> dict[str, Any]:
        """A request told step by step."""
        parameters = _given(agent_id=agent_id, session_id=session_id, trace_id=trace_id)
        return self._call("GET", "/telemetry/reasoning-trace", params=parameters)

    def close(self) -> None:
        self._transport.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _agent(agent_id: str) -> str:
    return f"/agent/{quoted(agent_id)}"


def _request(agent_id: str, request_id: str) -> str:
    return f"{_agent(agent_id)}/request/{quoted(request_id)}"


def _session(agent_id: str, session_id: str) -> str:
    return f"{_agent(agent_id)}/sessions/{quoted(session_id)}"


def _given(**parameters: str | int | None) -> dict[str, str | int]:
    return {name: value for name, value in parameters.items() if value not in ("", None)}
