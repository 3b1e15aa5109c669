"""Outbound webhooks against a real receiver that checks their signatures."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook
from typing_extensions import override

from agents.models import Agent
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from tests.workflows.conftest import Define, Start
from tests.workflows.test_runs import step
from workflows.webhooks.collect import collect
from workflows.webhooks.deliver import RETRY_AFTER, Send, deliver
from workflows.webhooks.models import WebhookDelivery, WebhookEndpoint
from workspaces.models import Workspace


class Receiver(HTTPServer):
    """Keeps what it is sent, and answers what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ends"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.MASH_ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def endpoint(transactional_db: None, api_client: APIClient, receiver: Receiver) -> dict[str, Any]:
    body = {"name": "receiver", "url": receiver.url}
    made: dict[str, Any] = api_client.post("/api/v1/webhooks", body, format="json").json()["data"]
    assert made["secret"].startswith("whsec_")
    return made


def send_all() -> list[WebhookDelivery]:
    """What a worker does every second, here and now."""
    collect()
    for key in WebhookDelivery.rows.filter(state="pending", next_at__lte=timezone.now()).values_list("pk", flat=True):
        deliver(key)
    return list(WebhookDelivery.rows.order_by("pk"))


def test_ends_of_requests_and_runs_are_told_once_and_signed(
    endpoint: dict[str, Any],
    receiver: Receiver,
    agent: Agent,
    define: Define,
    start: Start,
    run_requests: Driver,
) -> None:
    asked = AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="say=hello")
    failed = AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="fail=400", session_id="t")
    run = start(define(step("only", input="`2`")))
    run_requests()
    send_all()
    assert all(delivery.state == "delivered" for delivery in send_all())
    checker = Webhook(endpoint["secret"])
    told = [checker.verify(body, headers) for headers, body in receiver.received]
    assert sorted((each["type"], each["data"].get("run_id") or each["data"]["request_id"]) for each in told) == sorted(
        [
            ("request.completed", str(asked.request_id)),
            ("request.failed", str(failed.request_id)),
            ("run.completed", run.run_id),
        ]
    )
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 3


def test_what_is_not_taken_is_sent_again_as_the_same_message(
    endpoint: dict[str, Any], receiver: Receiver, agent: Agent, api_client: APIClient, run_requests: Driver
) -> None:
    receiver.answers = [500, 500]
    AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="say=hello")
    run_requests()
    [delivery] = send_all()
    assert (delivery.state, delivery.attempts, delivery.status_code) == ("pending", 1, 500)
    assert delivery.next_at
    assert abs(delivery.next_at - timezone.now() - RETRY_AFTER[0]) < timedelta(seconds=2)
    assert send_all() == [delivery], "not before its time"
    assert len(receiver.received) == 1
    path = f"/api/v1/webhooks/{endpoint['id']}/deliveries"
    for state in ("pending", "delivered"):
        assert api_client.post(f"{path}/{delivery.message_id}/redeliver").status_code == 200
        [delivery] = send_all()
        assert delivery.state == state
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    [listed] = api_client.get(path).json()["data"]["deliveries"]
    assert (listed["state"], listed["attempts"], listed["status_code"]) == ("delivered", 3, 204)


def test_a_receiver_that_is_gone_is_told_nothing_more(
    endpoint: dict[str, Any], receiver: Receiver, agent: Agent, api_client: APIClient, run_requests: Driver
) -> None:
    receiver.answers = [410]
    AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="say=hello")
    run_requests()
    [delivery] = send_all()
    assert delivery.state == "failed"
    path = f"/api/v1/webhooks/{endpoint['id']}"
    shown = api_client.get(path).json()["data"]
    assert (shown["is_enabled"], "410" in shown["fault"]) == (False, True)
    AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="say=while it is off")
    run_requests()
    api_client.patch(path, {"is_enabled": True, "event_types": ["run.failed"]}, format="json")
    AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="say=what it does not want")
    run_requests()
    assert len(send_all()) == 1


def test_private_addresses_are_not_asked(
    endpoint: dict[str, Any], receiver: Receiver, settings: Settings, api_client: APIClient
) -> None:
    settings.MASH_ALLOWED_PRIVATE_HOSTS = []
    assert api_client.post(f"/api/v1/webhooks/{endpoint['id']}/test").status_code == 200
    [delivery] = send_all()
    assert delivery.state == "pending"
    assert "not a public address" in delivery.fault
    assert receiver.received == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "url": "ftp://receiver.example"}, "url"),
        ({"name": "x", "url": "https://user:secret@receiver.example"}, "url"),
        ({"name": "x", "url": "http://[::1"}, "url"),
        ({"name": "x", "url": "http://receiver.example:port"}, "url"),
        ({"name": "x", "url": "https://receiver.example", "event_types": ["everything"]}, "event_types"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    api_client: APIClient, workspace: Workspace, body: dict[str, Any], field: str
) -> None:
    refused = api_client.post("/api/v1/webhooks", body, format="json")
    assert refused.status_code == 422
    assert refused.json()["error"]["details"]["errors"][0]["loc"] == ["body", field]
    assert not WebhookEndpoint.rows.exists()


def test_a_worker_sends_beside_its_requests(
    endpoint: dict[str, Any], receiver: Receiver, api_client: APIClient
) -> None:
    api_client.post(f"/api/v1/webhooks/{endpoint['id']}/test")
    send = Send()
    send()
    send._threads.shutdown()
    assert len(receiver.received) == 1
    assert WebhookDelivery.rows.get().state == "delivered"
