"""Sends single calls to a deployment's API and reads its envelope."""

from typing import Any
from urllib.parse import quote

import httpx

from runtime.client.errors import MashHostClientError, refused, unreachable

PREFIX = "/api/v1"


class Transport:
    """One connection pool to one deployment, with the caller's key on every call."""

    def __init__(self, base_url: str, api_key: str, *, connect_timeout: float, read_timeout: float) -> None:
        self.base_url = _checked(base_url)
        headers = {"Accept": "application/json", "Mash-Events": "2"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        timeout = httpx.Timeout(read_timeout, connect=connect_timeout)
        # A key that is not ASCII cannot be right; the server says so, rather than the encoder.
        encoded = httpx.Headers(headers, encoding="utf-8")
        self.http = httpx.Client(base_url=self.base_url, headers=encoded, timeout=timeout)

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """What the envelope of the answer holds."""
        path = PREFIX + path
        try:
            response = self.http.request(method, path, **options)
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


def quoted(identifier: str) -> str:
    """The id as one part of a path; one of only dots would otherwise lead to another path."""
    text = quote(identifier, safe="", errors="replace")
    return text if text.strip(".") else text.replace(".", "%2E")


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
