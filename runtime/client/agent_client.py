"""Speaks with one agent over its H2A surface (contract 2.6)."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
from httpx_sse import aconnect_sse


class AgentClientError(Exception):
    """The agent could not be reached, or did not answer as H2A says."""


class AgentClient:
    """`AgentClient(base_url="https://host/h2a/research", agent_id="research", default_headers={"Authorization": ...})`"""

    def __init__(
        self,
        base_url: str,
        agent_id: str,
        default_headers: Mapping[str, str] | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        url = urlsplit(base_url)
        self.base_url = urlunsplit((url.scheme, url.netloc, url.path.rstrip("/"), "", ""))
        self.agent_id = agent_id
        self._http = httpx.AsyncClient(headers={"Mash-Events": "2", **(default_headers or {})}, transport=transport)

    async def health(self, timeout: float = 5.0) -> dict[str, Any]:  # noqa: ASYNC109  the contract's name
        """Seconds to wait for the answer: `timeout`."""
        return await self._call("GET", "/health", expected=200, timeout_s=timeout)

    async def post_request(self, message: str, session_id: str, timeout: float = 30.0) -> str:  # noqa: ASYNC109
        """Sends a message and gives the request's id."""
        body = {"message": message, "session_id": session_id}
        answer = await self._call("POST", self._path(), expected=202, timeout_s=timeout, json=body)
        return str(answer.get("request_id", ""))

    async def stream_response(
        self,
        request_id: str,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncIterator[dict[str, Any]]:
        """The request's events as `{"event", "data"}`, to its end; data that is no JSON object comes as `{"raw": text}`."""
        url = f"{self.base_url}{self._path()}/{quote(request_id, safe='')}"
        try:
            async with aconnect_sse(self._http, "GET", url, timeout=httpx.Timeout(timeout, connect=10.0)) as source:
                if source.response.status_code != httpx.codes.OK:
                    await source.response.aread()
                    raise _unexpected(source.response)
                async for frame in source.aiter_sse():
                    if frame.data:
                        yield {"event": frame.event, "data": _parsed(frame.data)}
        except httpx.HTTPError as error:
            raise AgentClientError(f"The stream of {self.agent_id} broke off: {error}") from error

    async def close(self) -> None:
        await self._http.aclose()

    def _path(self) -> str:
        return f"/agent/{quote(self.agent_id, safe='')}/request"

    async def _call(self, method: str, path: str, *, expected: int, timeout_s: float, **options: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, self.base_url + path, timeout=timeout_s, **options)
        except httpx.HTTPError as error:
            raise AgentClientError(f"{self.agent_id} cannot be reached: {error}") from error
        if response.status_code != expected:
            raise _unexpected(response)
        content = _parsed(response.text)
        return content


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {"raw": text}
    return content if isinstance(content, dict) else {"raw": text}


def _unexpected(response: httpx.Response) -> AgentClientError:
    fault = _parsed(response.text).get("error")
    text = fault.get("message") if isinstance(fault, dict) else None
    return AgentClientError(
        f"{response.request.method} {response.request.url.path}: {response.status_code} {text or ''}"
    )


MashAgentClient = AgentClient
