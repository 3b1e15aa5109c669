"""Sends deliveries that are due: signed, bounded in time and size, to public addresses only, and again when that failed."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache

import httpx2
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from workflows.webhooks.collect import collect
from workflows.webhooks.models import WebhookDelivery, WebhookEndpoint
from workspaces.outbound import guarded_client

logger = logging.getLogger(__name__)

RETRY_AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""As Standard Webhooks recommends."""
KEPT = timedelta(days=30)
_TIMEOUT_S = 15.0
_AT_ONCE = 4
_TIDY_EVERY_S = 3600.0
State = WebhookDelivery.State


class Send:
    """Every second, in each worker process: collects, and hands what is due to a few threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="webhooks")
        self._tidied_at = time.monotonic()

    def __call__(self) -> None:
        collect()
        due = WebhookDelivery.rows.filter(state=State.PENDING, next_at__lte=timezone.now())
        for key in due.order_by("next_at").values_list("pk", flat=True)[: 4 * _AT_ONCE]:
            if _take(key):
                self._threads.submit(_deliver_safely, key)
        if time.monotonic() - self._tidied_at >= _TIDY_EVERY_S:
            self._tidied_at = time.monotonic()
            WebhookDelivery.rows.filter(created_at__lt=timezone.now() - KEPT).exclude(state=State.PENDING).delete()


def _take(delivery_pk: int) -> bool:
    """For this process, for as long as an attempt may take; should it vanish, another one tries."""
    now = timezone.now()
    until = now + timedelta(seconds=4 * _TIMEOUT_S)
    due = WebhookDelivery.rows.filter(pk=delivery_pk, state=State.PENDING, next_at__lte=now)
    return bool(due.update(next_at=until))


def _deliver_safely(delivery_pk: int) -> None:
    try:
        deliver(delivery_pk)
    except Exception:  # the top of a thread: the delivery is due again soon
        logger.exception("A webhook could not be delivered", extra={"action": "webhook.crashed"})
    finally:
        close_old_connections()


def deliver(delivery_pk: int) -> None:
    """One attempt."""
    delivery = WebhookDelivery.rows.select_related("endpoint").get(pk=delivery_pk)
    endpoint, began = delivery.endpoint, time.monotonic()
    delivery.attempts += 1
    try:
        answer = _post(endpoint, delivery)
        delivery.status_code, fault = answer.status_code, "" if answer.is_success else f"HTTP {answer.status_code}"
    except httpx2.HTTPError as error:
        delivery.status_code, fault = None, f"{type(error).__name__}: {error}"[:500]
    delivery.took_ms = round((time.monotonic() - began) * 1000)
    _note(delivery, endpoint, fault)


def _post(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> httpx2.Response:
    body, at = json.dumps(delivery.payload, separators=(",", ":")), datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Mash-Webhooks",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(endpoint.secret).sign(delivery.message_id, at, body),
    }
    # What it answers beyond its status is nobody's affair, and may be endless.
    client = _client(tuple(settings.MASH_ALLOWED_PRIVATE_HOSTS))
    with client.stream("POST", endpoint.url, content=body, headers=headers, timeout=_TIMEOUT_S) as answer:
        return answer


def _note(delivery: WebhookDelivery, endpoint: WebhookEndpoint, fault: str) -> None:
    now = timezone.now()
    delivery.fault, delivery.next_at = fault, None
    if not fault:
        delivery.state, delivery.ended_at = State.DELIVERED, now
    elif delivery.status_code == 410:
        delivery.state, delivery.ended_at = State.FAILED, now
        text = "The receiver answered 410 Gone."
        WebhookEndpoint.rows.filter(pk=endpoint.pk).update(is_enabled=False, fault=text)
    elif delivery.attempts > len(RETRY_AFTER) or not endpoint.is_enabled:
        delivery.state, delivery.ended_at = State.FAILED, now
    else:
        delivery.next_at = now + RETRY_AFTER[delivery.attempts - 1]
    delivery.save(
        update_fields=["attempts", "status_code", "took_ms", "fault", "next_at", "state", "ended_at"],
    )


@cache
def _client(allowed_hosts: tuple[str, ...]) -> httpx2.Client:
    return guarded_client(allowed_hosts=allowed_hosts)
