"""`Prefer: wait=30` on a submission, and every compaction: holds the answer until the request has ended, without a thread."""

import asyncio
import json
import re
import uuid
from collections.abc import MutableMapping
from typing import Any

from runtime.errors import CompactionFailed
from runtime.hub import hub
from runtime.kinds import TERMINAL
from runtime.models import AgentRequest
from runtime.public import completed_data
from runtime.readers import DATABASE_ERRORS, in_patient_reader
from runtime.sse import Receive, Scope, Send, send_error, send_json

MAX_WAIT_S = 60
_WAIT = re.compile(rb"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")
ASGIMessage = MutableMapping[str, Any]


class WaitForEnd:
    """Wraps the application: a submission that prefers to wait is answered with its terminal event."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = _preferred_wait(scope)
        if seconds == 0:
            await self._application(scope, receive, send)
            return
        answer = _Captured()
        await self._application(scope, receive, answer.send)
        request_id = answer.request_id()
        try:
            ended = await _until_ended(request_id, seconds) if request_id else None
        except DATABASE_ERRORS:
            # The request is accepted all the same, and that is what the caller must learn.
            ended = None
        if ended is None:
            await answer.replay(send)
            return
        if _is_compaction(scope):
            await _answer_compaction(send, *ended)
            return
        name, data = ended
        headers = [(b"Preference-Applied", b"wait=%d" % seconds), (b"Mash-Event", name.encode())]
        await send_json(send, 200, {"data": data}, headers + answer.kept_headers())


class _Captured:
    """An answer that is held back."""

    def __init__(self) -> None:
        self._messages: list[ASGIMessage] = []

    async def send(self, message: ASGIMessage) -> None:
        self._messages.append(message)

    async def replay(self, send: Send) -> None:
        for message in self._messages:
            await send(message)

    def request_id(self) -> uuid.UUID | None:
        """The id of the accepted request; None when the submission was refused."""
        if not self._messages or self._messages[0]["status"] not in {200, 202}:
            return None
        body = b"".join(message.get("body", b"") for message in self._messages[1:])
        return uuid.UUID(json.loads(body)["data"]["request_id"])

    def kept_headers(self) -> list[tuple[bytes, bytes]]:
        headers = self._messages[0]["headers"]
        return [(name, value) for name, value in headers if name.lower() in {b"idempotent-replayed", b"x-request-id"}]


def _preferred_wait(scope: Scope) -> int:
    """Seconds to wait, at most 60; 0 for any call but a compaction, or a submission that asks for it."""
    if _is_compaction(scope):
        return MAX_WAIT_S
    is_submission = (
        scope["method"] == "POST"
        and scope["path"].startswith("/api/v1/agent/")
        and (scope["path"].endswith("/request"))
    )
    if not is_submission:
        return 0
    preferences = b",".join(value for name, value in scope["headers"] if name == b"prefer")
    found = _WAIT.search(preferences)
    return min(int(found[1]), MAX_WAIT_S) if found else 0


def _is_compaction(scope: Scope) -> bool:
    path = str(scope["path"])
    return bool(scope["method"] == "POST") and path.startswith("/api/v1/agent/") and path.endswith("/compact")


async def _answer_compaction(send: Send, name: str, data: dict[str, Any]) -> None:
    """Contract 2.2.8, or why there is no summary."""
    if name == "request.completed":
        text, turn_id = data.get("compaction_summary_text"), data.get("compaction_summary_turn_id")
        await send_json(send, 200, {"data": {"summary_text": text or "", "turn_id": turn_id or ""}})
        return
    details: dict[str, Any] = {
        key: data[key] for key in ("request_id", "error_code", "retryable", "reason") if key in data
    }
    await send_error(send, CompactionFailed(data.get("error") or "The compaction was cancelled.", details=details))


async def _until_ended(request_id: uuid.UUID, seconds: int) -> tuple[str, dict[str, Any]] | None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    with hub.watch(request_id=request_id) as watch:
        while True:
            watch.seen, ended = await in_patient_reader(_look, request_id)
            remaining = deadline - loop.time()
            if ended is not None or remaining <= 0:
                return ended
            await watch.wait(remaining)


def _look(request_id: uuid.UUID) -> tuple[int, tuple[str, dict[str, Any]] | None]:
    """Head and, at the end, terminal event of a request that this very call was told the id of."""
    rows = AgentRequest.rows.filter(request_id=request_id)
    head, status = rows.values_list("last_sequence", "status").get()
    return head, completed_data(rows.with_agent().get()) if status in TERMINAL else None
