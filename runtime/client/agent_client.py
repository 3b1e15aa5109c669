"""Calls one agent over H2A (contract 2.6)."""

import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from httpx_sse import SSEError, aconnect_sse


class AgentClientError(Exception):
    """The agent's server could not be reached, refused, or answered what no such server would."""

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class AgentClient:
    """One agent behind `base_url`, such as `https://mash.example/h2a/research`; close it, or use it in `async with`."""

    def __init__(self, base_url: str, agent_id: str, default_headers: Mapping[str, str] | None = None) -> None:
        self.base_url = base_url.partition("?")[0].strip().rstrip("/")
        self.agent_id = agent_id
        self._requests = f"{self.base_url}/agent/{quote(agent_id, safe='')}/request"
        self._http = httpx.AsyncClient(headers=dict(default_headers or {}))

    async def health(self, timeout: float = 5.0) -> dict[str, Any]:  # noqa: ASYNC109  the contract's name
        return await self._call("GET", f"{self.base_url}/health", timeout=timeout, expected=200)

    async def post_request(self, message: str, session_id: str, timeout: float = 30.0) -> str:  # noqa: ASYNC109
        """Sends a message; the id that it gives leads to the answer's events."""
        body = {"message": message, "session_id": session_id}
        answer = await self._call("POST", self._requests, timeout=timeout, expected=202, json=body)
        if not isinstance(answer.get("request_id"), str):
            raise AgentClientError("The answer holds no request_id.", status=202)
        return str(answer["request_id"])

    async def stream_response(
        self,
        request_id: str,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncIterator[dict[str, Any]]:
        """`{"event", "data"}` of every event until the server ends the stream; `timeout` bounds each silence."""
        url = f"{self._requests}/{quote(request_id, safe='')}"
        try:
            async with aconnect_sse(self._http, "GET", url, timeout=timeout) as source:
                if source.response.status_code != httpx.codes.OK:
                    await source.response.aread()
                    raise _refused(source.response)
                async for frame in source.aiter_sse():
                    if frame.data:
                        yield {"event": frame.event, "data": _parsed(frame.data)}
        except (httpx.HTTPError, httpx.InvalidURL, SSEError) as error:
            raise _unreachable(error) from error

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: str, url: str, *, expected: int, **options: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, url, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unreachable(error) from error
        content = _parsed(response.text)
        if response.status_code != expected or not isinstance(content, dict):
            raise _refused(response)
        return content


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"raw": text}


def _refused(response: httpx.Response) -> AgentClientError:
    content = _parsed(response.text)
    fault = content.get("error") if isinstance(content, dict) else None
    fault = fault if isinstance(fault, dict) else {}
    told = fault.get("message") or response.reason_phrase or "no reason given"
    return AgentClientError(
        f"{response.request.method} {response.request.url.path}: {response.status_code} {told}",
        status=response.status_code,
        code=str(fault.get("code") or ""),
    )


def _unreachable(error: Exception) -> AgentClientError:
    return AgentClientError(f"No answer from the agent: {str(error) or type(error).__name__}")
