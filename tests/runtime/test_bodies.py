"""What a real web process does with bodies: of any transfer, of any size, from anybody."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from agents.models import Agent
from tests.live_web import LiveWeb

LARGEST = max(settings.MASH_BODY_LIMITS.values())


def answer_to(live: LiveWeb, head: str, body: Iterable[bytes] = ()) -> bytes:
    """The status line of what comes back while the body is still being sent."""
    url = urlsplit(live.url)
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=20) as connection:
        connection.sendall(f"{head}\r\nHost: {url.netloc}\r\n\r\n".encode())
        try:
            for piece in body:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return connection.recv(4096).split(b"\r\n")[0]


def test_a_body_in_chunks_is_read_like_any_other(live: LiveWeb, token: str, agent: Agent) -> None:
    answer = httpx.post(
        f"{live.url}/api/v1/agent/{agent.agent_id}/request",
        content=iter([b'{"message": "say=hi", ', b'"session_id": "s"}']),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text


def test_a_body_that_is_announced_too_large_is_not_waited_for(live: LiveWeb) -> None:
    head = f"POST /api/v1/attachments HTTP/1.1\r\nContent-Length: {LARGEST + 1}"
    assert b" 413 " in answer_to(live, head)


def test_a_body_that_never_ends_is_cut_off(live: LiveWeb) -> None:
    before = live.memory()
    piece = b"%x\r\n%b\r\n" % (1 << 20, b"x" * (1 << 20))
    endless = (piece for _ in range(4 * LARGEST >> 20))
    head = "POST /api/v1/attachments HTTP/1.1\r\nTransfer-Encoding: chunked"
    try:
        assert b" 413 " in answer_to(live, head, endless)
    except ConnectionResetError:
        pass  # what was still on its way took the answer along
    assert live.memory() - before < LARGEST
    assert httpx.get(f"{live.url}/healthz").status_code == 200


def test_nobody_parses_a_form_before_it_is_known_who_sent_it(live: LiveWeb) -> None:
    """Twisted would, on the event loop; a form without a boundary tells who looked at it."""
    headers = {"Content-Type": "multipart/form-data"}
    answer = httpx.post(f"{live.url}/api/v1/attachments", content=b"a=1", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"


def test_streams_answer_to_the_sites_own_names_only(live: LiveWeb, token: str, agent: Agent) -> None:
    headers = {"Authorization": f"Bearer {token}", "Host": "elsewhere.example"}
    answer = httpx.get(f"{live.url}/api/v1/agent/{agent.agent_id}/sessions/s/events", headers=headers)
    assert answer.status_code == 400
