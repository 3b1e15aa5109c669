"""Makes, changes and removes endpoints, and sends something to them by hand."""

import base64
import secrets
from collections.abc import Mapping
from typing import Any

import httpx2
from django.db import IntegrityError, transaction
from django.utils import timezone

from runtime.horizon import horizon
from workflows.errors import EndpointExists
from workflows.webhooks.collect import new_delivery
from workflows.webhooks.models import EVENT_TYPES, WebhookDelivery, WebhookEndpoint
from workspaces import audit, encryption
from workspaces.api.envelope import InvalidBody
from workspaces.models import Workspace

FIELDS = ("name", "url", "event_types", "is_enabled")


def make_endpoint(workspace: Workspace, values: Mapping[str, Any], *, by: str) -> WebhookEndpoint:
    """With a secret of its own. Raises `InvalidBody` with the fields that make no sense, and `EndpointExists`."""
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    endpoint = WebhookEndpoint(
        workspace=workspace,
        encrypted_secret=encryption.encrypt(secret),
        created_by=by,
        created_at=timezone.now(),
        is_enabled=False,
    )
    return change_endpoint(endpoint, {"is_enabled": True, **values}, by=by)


def change_endpoint(endpoint: WebhookEndpoint, values: Mapping[str, Any], *, by: str) -> WebhookEndpoint:
    """One that is switched on follows the log from now on."""
    was_enabled = endpoint.is_enabled
    for name in FIELDS:
        if name in values:
            setattr(endpoint, name, values[name])
    if faults := endpoint_faults(endpoint):
        errors = [{"type": "value_error", "loc": ["body", name], "msg": text} for name, text in faults.items()]
        raise InvalidBody(errors)
    if endpoint.is_enabled and not was_enabled:
        endpoint.cursor, endpoint.fault = horizon.look()[0], ""
    try:
        with transaction.atomic():
            endpoint.save()
            about = {"url": endpoint.url, "is_enabled": endpoint.is_enabled}
            audit.record(endpoint.workspace, actor=by, action="webhook.changed", target=endpoint.name, details=about)
    except IntegrityError as error:
        raise EndpointExists(f"There is an endpoint {endpoint.name!r} already.", details={"field": "name"}) from error
    return endpoint


def remove_endpoint(endpoint: WebhookEndpoint, *, by: str) -> None:
    """With its deliveries."""
    with transaction.atomic():
        audit.record(endpoint.workspace, actor=by, action="webhook.removed", target=endpoint.name)
        endpoint.delete()


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A message that says that it is a test."""
    delivery = new_delivery(endpoint, "test", {"workspace": endpoint.workspace.slug, "endpoint": endpoint.name}, None)
    delivery.save()
    return delivery


def redeliver(delivery: WebhookDelivery) -> WebhookDelivery:
    """The same message once more, now; attempts count on."""
    delivery.state, delivery.next_at, delivery.ended_at = WebhookDelivery.State.PENDING, timezone.now(), None
    delivery.save(update_fields=["state", "next_at", "ended_at"])
    return delivery


def endpoint_faults(endpoint: WebhookEndpoint) -> dict[str, str]:
    """By field, what makes no sense."""
    faults = {}
    if not endpoint.name.strip():
        faults["name"] = "An endpoint needs a name."
    if not _is_address(endpoint.url):
        faults["url"] = "An address with http or https, without user name or password."
    if unknown := sorted({*endpoint.event_types} - {*EVENT_TYPES}):
        faults["event_types"] = f"Unknown: {', '.join(map(str, unknown))[:100]}. There are {', '.join(EVENT_TYPES)}."
    return faults


def _is_address(text: str) -> bool:
    try:
        address = httpx2.URL(text)
    except httpx2.InvalidURL:
        return False
    return address.scheme in {"http", "https"} and bool(address.host) and not address.userinfo
