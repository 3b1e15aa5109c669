"""Calls the API of a Mash deployment (contract 2.2, 9.3)."""

from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from runtime.client.errors import MashHostClientError, refused, unreachable
from runtime.client.events import RequestEvent
from runtime.client.stream import RequestStream

PREFIX = "/api/v1"


class MashClient:
    """One connection pool to one deployment; close it, or use it as a context manager."""

    def __init__(
        self, base_url: str, api_key: str = "", *, connect_timeout: float = 10.0, read_timeout: float = 30.0
    ) -> None:
        self.base_url = _checked(base_url)
        headers = {"Accept": "application/json", "Mash-Events": "2"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        # A key that is not ASCII cannot be right; the server says so, rather than the encoder.
        encoded = httpx.Headers(headers, encoding="utf-8")
        self._http = httpx.Client(base_url=self.base_url, headers=encoded, timeout=timeout)

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
        path = f"{PREFIX}{_agent(agent_id)}/request/{_quoted(request_id)}/events"
        return RequestStream(self._http, path, after_sequence=after_sequence).events()

    def request_status(self, agent_id: str, request_id: str) -> dict[str, Any]:
        return self._call("GET", f"{_agent(agent_id)}/request/{_quoted(request_id)}")

    def list_sessions(self, agent_id: str) -> dict[str, Any]:
        return self._call("GET", f"{_agent(agent_id)}/sessions")

    def get_session(self, agent_id: str, session_id: str) -> dict[str, Any]:
        return self._call("GET", f"{_agent(agent_id)}/sessions/{_quoted(session_id)}")

    def get_history(self, agent_id: str, session_id: str, *, limit: int | None = None) -> dict[str, Any]:
        """The session's turns, oldest first; with a limit the newest ones."""
        parameters = {} if limit is None else {"limit": limit}
        return self._call("GET", f"{_agent(agent_id)}/sessions/{_quoted(session_id)}/history", params=parameters)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        path = PREFIX + path
        try:
            response = self._http.request(method, path, **options)
        except httpx.RequestError as error:
            raise unreachable(error, method=method, path=path) from error
        if response.is_error:
            raise refused(response)
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
            text = "The answer is not that of a Mash deployment."
            raise MashHostClientError(text, method=method, path=path, status=response.status_code)
        content: dict[str, Any] = body["data"]
        return content


def _agent(agent_id: str) -> str:
    return f"/agent/{_quoted(agent_id)}"


def _quoted(identifier: str) -> str:
    """The id as one part of a path; one of only dots would otherwise lead to another path."""
    quoted = quote(identifier, safe="", errors="replace")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _checked(base_url: str) -> str:
    trimmed = base_url.strip().rstrip("/")
    try:
        url = httpx.URL(trimmed)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise MashHostClientError(
            f"{base_url!r} is not the address of a deployment, such as http://127.0.0.1:8000.", method="GET", path="/"
        )
    return trimmed
