"""Somebody who is signed in by the login form, and reads pages without a browser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from benchmarks.ui.prepare import USER

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_TIMING = re.compile(r'total;dur=([\d.]+).*queries;desc="(\d+)"')
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One answer, as it came over the wire."""

    server_s: float
    statements: int
    bytes: int
    status: int
    html: str


class Visitor:
    def __init__(self, url: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"Accept-Encoding": "gzip"}, timeout=60)
        page = self._client.get("/account/login/").text
        token = _TOKEN.search(page)
        assert token, "The login page has no form."
        fields = {"username": USER, "password": password, "csrfmiddlewaretoken": token[1]}
        answer = self._client.post("/account/login/", data=fields, headers={"Referer": f"{url}/account/login/"})
        if answer.status_code != 302:
            raise RuntimeError(f"The login answers {answer.status_code}.")

    def look(self, path: str, headers: Mapping[str, str] | None = None) -> Sight:
        answer = self._client.get(path, headers=headers)
        timing = _TIMING.search(answer.headers.get("Server-Timing", ""))
        return Sight(
            server_s=float(timing[1]) / 1000 if timing else answer.elapsed.total_seconds(),
            statements=int(timing[2]) if timing else 0,
            bytes=answer.num_bytes_downloaded,
            status=answer.status_code,
            html=answer.text,
        )

    def close(self) -> None:
        self._client.close()
