import subprocess
import sys

import pytest

from runtime.client import MashClient, MashHostClientError
from tests.runtime.repl.fake_host import KEY, REQUEST_ID, FakeHost


def test_the_client_needs_no_django():
    code = "import runtime.client, sys; sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


def test_every_call_shows_its_key_and_asks_for_all_events(host: FakeHost, client: MashClient):
    assert client.health()["deployment"]["primary_agent_id"] == "primary"
    assert host.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert host.seen[0].headers["mash-events"] == "2"


def test_submitting_sends_message_session_and_options(host: FakeHost, client: MashClient):
    answer = client.submit_request("primary", "hi", "s-1", options={"user": "u-1"}, idempotency_key="k-1")
    assert answer["request_id"] == REQUEST_ID
    seen = host.seen[-1]
    assert (seen.method, seen.path) == ("POST", "/api/v1/agent/primary/request")
    assert seen.body == {"message": "hi", "session_id": "s-1", "user": "u-1"}
    assert seen.headers["idempotency-key"] == "k-1"


@pytest.mark.parametrize(
    ("agent_id", "path"),
    [
        ("a/b c?d", "/api/v1/agent/a%2Fb%20c%3Fd/sessions"),
        ("..", "/api/v1/agent/%2E%2E/sessions"),
        ("größe", "/api/v1/agent/gr%C3%B6%C3%9Fe/sessions"),
    ],
)
def test_ids_are_one_part_of_the_path(host: FakeHost, client: MashClient, agent_id: str, path: str):
    client.list_sessions(agent_id)
    assert host.seen[-1].path == path


def test_the_other_calls_reach_their_routes(host: FakeHost, client: MashClient):
    client.list_agents()
    client.get_session("primary", "subagent:x:1")
    client.get_history("primary", "s-1")
    client.get_history("primary", "s-1", limit=2)
    client.request_status("primary", REQUEST_ID)
    assert [(seen.method, seen.path.removeprefix("/api/v1")) for seen in host.seen] == [
        ("GET", "/agent"),
        ("GET", "/agent/primary/sessions/subagent%3Ax%3A1"),
        ("GET", "/agent/primary/sessions/s-1/history"),
        ("GET", "/agent/primary/sessions/s-1/history?limit=2"),
        ("GET", f"/agent/primary/request/{REQUEST_ID}"),
    ]


def test_steering_calls_reach_their_routes(host: FakeHost, client: MashClient):
    client.list_requests("primary", session_id="s 1", limit=1)
    client.cancel_request("primary", REQUEST_ID)
    client.resume_request("primary", REQUEST_ID)
    client.rerun_request("primary", REQUEST_ID)
    client.list_interactions(state="open")
    client.answer_interaction("primary", REQUEST_ID, "itr_1", {"decision": "approve"})
    assert [(seen.method, seen.path.removeprefix("/api/v1")) for seen in host.seen] == [
        ("GET", "/agent/primary/requests?session_id=s+1&limit=1"),
        ("POST", f"/agent/primary/request/{REQUEST_ID}/cancel"),
        ("POST", f"/agent/primary/request/{REQUEST_ID}/resume"),
        ("POST", f"/agent/primary/request/{REQUEST_ID}/rerun"),
        ("GET", "/interactions?state=open"),
        ("POST", f"/agent/primary/request/{REQUEST_ID}/interaction"),
    ]
    assert host.seen[-1].body == {"interaction_id": "itr_1", "response": {"decision": "approve"}}


def test_calls_about_memory_reach_their_routes(host: FakeHost, client: MashClient):
    client.get_signals("primary", "s-1", limit=0)
    client.compact_session("primary", "s-1", reason="full")
    client.fork_session("primary", "s-1", after_turn_id="0d5e")
    client.erase_session("primary", "s/1")
    client.search_memory("primary", "@user: tea", limit=5)
    client.get_reasoning_trace("primary", "s-1", "t-1")
    assert [(seen.method, seen.path.removeprefix("/api/v1"), seen.body) for seen in host.seen] == [
        ("GET", "/agent/primary/sessions/s-1/signals?limit=0", {}),
        ("POST", "/agent/primary/sessions/s-1/compact", {"reason": "full"}),
        ("POST", "/agent/primary/sessions/s-1/fork", {"after_turn_id": "0d5e"}),
        ("DELETE", "/agent/primary/sessions/s%2F1", {}),
        ("GET", "/telemetry/memory/search?q=%40user%3A+tea&app_id=primary&limit=5", {}),
        ("GET", "/telemetry/reasoning-trace?agent_id=primary&session_id=s-1&trace_id=t-1", {}),
    ]


def test_an_error_answer_tells_method_path_status_message_and_code(host: FakeHost):
    with MashClient(host.url, "wrong") as client, pytest.raises(MashHostClientError) as caught:
        client.health()
    error = caught.value
    assert (error.method, error.path, error.status, error.code) == ("GET", "/api/v1/health", 401, "UNAUTHORIZED")
    assert str(error) == "GET /api/v1/health: 401 UNAUTHORIZED: The key is missing or wrong."


def test_an_unknown_agent_is_an_error_with_its_code(client: MashClient):
    with pytest.raises(MashHostClientError) as caught:
        client.get_agent("nobody")
    assert (caught.value.status, caught.value.code) == (404, "AGENT_NOT_FOUND")


def test_a_deployment_that_is_not_there_is_an_error_without_status():
    with MashClient("http://127.0.0.1:9", KEY) as client, pytest.raises(MashHostClientError) as caught:
        client.health()
    assert caught.value.status is None


def test_a_key_that_no_server_issues_is_refused_by_the_server(host: FakeHost):
    with MashClient(host.url, "schlüssel") as client, pytest.raises(MashHostClientError) as caught:
        client.health()
    assert caught.value.status == 401


@pytest.mark.parametrize("address", ["", "127.0.0.1:8000", "ftp://x", "http://", "http://[::1"])
def test_what_is_no_address_is_refused_at_once(address: str):
    with pytest.raises(MashHostClientError, match="not the address"):
        MashClient(address)
