"""The calls of the API by which the demo's requests came in and were watched, as the API log keeps them."""

import json
from collections.abc import Iterator
from datetime import datetime

from telemetry.api_log.writer import Record, row_of
from telemetry.demo.take import Take
from telemetry.models import ApiEvent

_CLIENT = [(b"host", b"mash.example"), (b"user-agent", b"shop/4.2"), (b"authorization", b"Bearer mash_shop")]
_JSON = (b"content-type", b"application/json")
_STREAM = (b"content-type", b"text/event-stream")
_BODIES_KEPT_ONE_IN = 5


def calls_of(take: Take) -> Iterator[ApiEvent]:
    """Of a request that a program has sent; what people send from pages is no call."""
    request = take.request
    if not request.created_by.startswith("token:"):
        return
    base = f"/api/v1/agent/{request.agent.agent_id}/request"
    asked = json.dumps({"message": request.message, "session_id": request.session_id, "user": request.user}).encode()
    accepted = json.dumps({"data": {"request_id": str(request.request_id), "status": "accepted"}}).encode()
    if take.rng.random() < 0.02:
        refused = json.dumps({"error": {"code": "INVALID_REQUEST", "message": "message: This field is required."}})
        yield _call(take, "POST", base, status=400, at=request.accepted_at, asked=b"{}", answered=refused.encode())
    yield _call(take, "POST", base, status=202, at=request.accepted_at, asked=asked, answered=accepted)
    if take.rng.random() < 0.5:
        seconds = (take.at - request.accepted_at).total_seconds()
        path = f"{base}/{request.request_id}/events"
        yield _call(take, "GET", path, status=200, at=request.accepted_at, seconds=seconds, is_stream=True)


def _call(
    take: Take,
    method: str,
    path: str,
    *,
    status: int,
    at: datetime,
    asked: bytes = b"",
    answered: bytes = b"",
    seconds: float = 0.0,
    is_stream: bool = False,
) -> ApiEvent:
    is_kept = take.rng.randrange(_BODIES_KEPT_ONE_IN) == 0
    record = Record(
        workspace_pk=take.request.workspace_id,
        principal=take.request.created_by,
        method=method,
        path=path,
        query=b"",
        status=status,
        duration_s=seconds or 0.004 + take.rng.expovariate(120),
        request_headers=[*_CLIENT, _JSON],
        response_headers=[_STREAM if is_stream else _JSON, (b"x-request-id", str(take.request.request_id).encode())],
        request_body=asked if is_kept else None,
        request_size=len(asked),
        response_body=answered if is_kept else None,
        response_size=len(answered) or 4096,
        client_host=f"10.0.0.{take.rng.randrange(2, 9)}",
        failure="",
        at=at,
    )
    return row_of(record)
