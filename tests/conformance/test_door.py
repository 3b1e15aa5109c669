"""Appendix A: who is let in, and what is refused at the door."""

import pytest

from agents.models import Agent
from tests.web import Web

ROUTES = [
    ("GET", ""),
    ("GET", "/sessions"),
    ("GET", "/sessions/s-1"),
    ("GET", "/sessions/s-1/history"),
    ("GET", "/requests"),
    ("POST", "/request"),
]


@pytest.mark.appendix_a("A20")
@pytest.mark.parametrize("wrong", [{"Authorization": "Bearer mash_wrong"}, {"X-API-Key": "mash_wrong"}])
def test_a20_a_wrong_key_is_not_rescued_by_a_right_cookie(
    transactional_db: None, primary: Agent, token: str, wrong: dict[str, str]
) -> None:
    cookie = {"Cookie": f"mash_api_key={token}"}
    assert Web().get("/api/v1/agent", headers=cookie).status == 200
    answer = Web().get("/api/v1/agent", headers={**cookie, **wrong})
    assert (answer.status, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")


@pytest.mark.appendix_a("A22")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"message": " \n", "session_id": "s-1"}, 400, "INVALID_REQUEST"),
        ({"message": "", "session_id": "s-1"}, 422, "VALIDATION_ERROR"),
        ({"message": "hello", "session_id": "\t"}, 400, "INVALID_REQUEST"),
        ({"message": "hello", "session_id": ""}, 422, "VALIDATION_ERROR"),
        ({"message": "hello"}, 422, "VALIDATION_ERROR"),
    ],
)
def test_a22_blank_and_empty_are_different_faults(
    web: Web, primary: Agent, body: dict[str, str], status: int, code: str
) -> None:
    answer = web.post("/api/v1/agent/primary/request", body)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message", "details"}


@pytest.mark.appendix_a("A23")
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a23_an_unknown_agent_is_not_found(web: Web, primary: Agent, method: str, path: str) -> None:
    """The part of the row that is about agents; for workflows and runs see `tests/workflows/test_api.py`."""
    body = b'{"message": "hello", "session_id": "s-1"}' if method == "POST" else b""
    headers = {"Content-Type": "application/json"}
    answer = web.call(method, f"/api/v1/agent/nobody{path}", body=body, headers=headers)
    assert (answer.status, answer.json()["error"]["code"]) == (404, "AGENT_NOT_FOUND")
