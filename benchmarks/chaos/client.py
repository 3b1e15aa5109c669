"""A client as a user would write one: submits with an idempotency key, follows streams, reconnects."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.chaos.host import AGENT_ID, WORKFLOW_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    key: str
    request_id: str
    session_id: str


@dataclass(slots=True)
class Transcript:
    """What one stream delivered over all its connections."""

    request_id: str
    frames: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    connections: int = 0

    @property
    def cursor(self) -> int:
        return self.frames[-1][0] if self.frames else 0

    @property
    def names(self) -> list[str]:
        return [name for _, name, _ in self.frames]

    @property
    def is_complete(self) -> bool:
        return bool(self.frames) and self.frames[-1][1] in {"request.completed", "request.error", "request.cancelled"}


class Client:
    def __init__(self, base_url: str, token: str) -> None:
        self.base_url = base_url
        self.http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(45, connect=2),
            limits=httpx.Limits(max_connections=200),
        )

    def post(self, message: str, session_id: str, *, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        body = {"message": message, "session_id": session_id}
        return self.http.post(f"/api/v1/agent/{AGENT_ID}/request", json=body, headers=headers)

    def submit(self, key: str, words: str, session_id: str, *, within_s: float = 60) -> Submitted | None:
        """Sends until it is answered 200, always under the same key; None if that never happens."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                answer = self.post(f"key={key} {words}", session_id, key=key)
                if answer.status_code == 200:
                    return Submitted(key=key, request_id=answer.json()["data"]["request_id"], session_id=session_id)
                if answer.status_code < 500:
                    raise AssertionError(f"{answer.status_code} for a good submission: {answer.text}")
            time.sleep(0.2)
        return None

    def run_workflow(self, key: str, *, within_s: float = 60) -> Submitted | None:
        """Starts a run, once under this key; None if that is never answered."""
        given = {"id": key, "words": f"go key={key} on", "items": ["a", "b", "c", "d"]}
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if known := self._run(key):
                    return known
                path = f"/api/v1/workflows/{WORKFLOW_ID}/run"
                answer = self.http.post(path, json={"dedup_key": key, "input": given})
                if answer.status_code not in {200, 409} and answer.status_code < 500:
                    raise AssertionError(f"{answer.status_code} for a good run: {answer.text}")
            time.sleep(0.2)
        return None

    def _run(self, key: str) -> Submitted | None:
        answer = self.http.get(f"/api/v1/workflows/{WORKFLOW_ID}/runs", params={"dedup_key": key})
        answer.raise_for_status()
        for run in answer.json()["data"]["runs"]:
            return Submitted(key=key, request_id=run["request_id"], session_id=run["run_id"])
        return None

    def steer_run(self, run_id: str, verb: str) -> None:
        """`cancel` or `resume`."""
        with suppress(httpx.HTTPError):
            self.http.post(f"/api/v1/workflows/{WORKFLOW_ID}/runs/{run_id}/{verb}")

    def status(self, request_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/v1/agent/{AGENT_ID}/request/{request_id}")
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data

    def steer(self, request_id: str, verb: str) -> int:
        """`cancel` or `resume`; the status of the answer, 0 if none came."""
        with suppress(httpx.HTTPError):
            return self.http.post(f"/api/v1/agent/{AGENT_ID}/request/{request_id}/{verb}").status_code
        return 0

    def open_interactions(self) -> list[dict[str, Any]]:
        with suppress(httpx.HTTPError):
            answer = self.http.get("/api/v1/interactions?state=open")
            if answer.status_code == 200:
                found: list[dict[str, Any]] = answer.json()["data"]["interactions"]
                return found
        return []

    def answer(self, interaction: dict[str, Any], response: str) -> None:
        path = f"/api/v1/agent/{interaction['agent_id']}/request/{interaction['request_id']}/interaction"
        with suppress(httpx.HTTPError):
            self.http.post(path, json={"interaction_id": interaction["interaction_id"], "response": response})

    def follow(self, transcript: Transcript, *, cut_after: int | None = None, silence_s: float = 20) -> None:
        """One connection: reads on from the transcript's cursor until the stream ends, breaks or is cut by us."""
        headers = {"Last-Event-ID": str(transcript.cursor)} if transcript.frames else {}
        path = f"/api/v1/agent/{AGENT_ID}/request/{transcript.request_id}/events"
        transcript.connections += 1
        timeout = httpx.Timeout(silence_s, connect=2)
        with self.http.stream("GET", path, headers=headers, timeout=timeout) as answer:
            if answer.status_code == 204:
                return
            answer.raise_for_status()
            for count, frame in enumerate(_frames(answer.iter_lines()), start=1):
                transcript.frames.append(frame)
                if cut_after is not None and count >= cut_after:
                    return

    def follow_to_the_end(self, transcript: Transcript, *, within_s: float = 60) -> None:
        """Reconnects until the terminal event has come."""
        deadline = time.monotonic() + within_s
        while not transcript.is_complete and time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                self.follow(transcript)
            if not transcript.is_complete:
                time.sleep(0.2)


def _frames(lines: Iterator[str]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Events of the log; text deltas, which have no number, are live only."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "id" in fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}
        else:
            fields = {}
