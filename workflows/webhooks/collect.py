"""From the log to deliveries: each endpoint follows the log, so ends cost requests nothing and none is missed or told twice."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from runtime.horizon import horizon
from runtime.kinds import TERMINAL_EVENTS, RequestKind
from runtime.models import AgentRequest, RuntimeEvent
from runtime.public import request_row
from workflows.public import run_row
from workflows.webhooks.models import WebhookDelivery, WebhookEndpoint

_PAGE = 500


def collect() -> None:
    """Makes deliveries of what has ended since the last time, for every endpoint that is switched on."""
    keys = list(WebhookEndpoint.rows.filter(is_enabled=True).values_list("pk", flat=True))
    if not keys:
        return
    settled, _ = horizon.look()
    for key in WebhookEndpoint.rows.filter(pk__in=keys, cursor__lt=settled).values_list("pk", flat=True):
        while _collect_page(key, settled):
            pass


def _collect_page(endpoint_pk: int, settled: int) -> bool:
    """True when there is more. One process at a time, by the endpoint's row."""
    with transaction.atomic():
        endpoint = WebhookEndpoint.rows.select_for_update(no_key=True).get(pk=endpoint_pk)
        if not endpoint.is_enabled or endpoint.cursor >= settled:
            return False
        ends = endpoint.workspace.events.filter(
            id__gt=endpoint.cursor, id__lte=settled, event_type__in=TERMINAL_EVENTS, agent_request__parent=None
        )
        page = list(ends.select_related("agent_request").order_by("id")[:_PAGE])
        WebhookDelivery.rows.bulk_create(_deliveries(endpoint, page))
        endpoint.cursor = page[-1].pk if len(page) == _PAGE else settled
        endpoint.save(update_fields=["cursor"])
        return len(page) == _PAGE


def _deliveries(endpoint: WebhookEndpoint, ends: Sequence[RuntimeEvent]) -> list[WebhookDelivery]:
    named = [(event, type_of(event.agent_request, event)) for event in ends]
    wanted = [(event, name) for event, name in named if not endpoint.event_types or name in endpoint.event_types]
    return [new_delivery(endpoint, name, about(event.agent_request), event.agent_request) for event, name in wanted]


def type_of(agent_request: AgentRequest, event: RuntimeEvent) -> str:
    what = "run" if agent_request.kind == RequestKind.WORKFLOW else "request"
    return f"{what}.{event.event_type.rpartition('.')[2]}"


def about(agent_request: AgentRequest) -> dict[str, Any]:
    """What the API would tell of it now; texts of the conversation are asked for there."""
    if agent_request.kind == RequestKind.WORKFLOW:
        return run_row(agent_request.workflow_run)
    return request_row(agent_request)


def new_delivery(
    endpoint: WebhookEndpoint, event_type: str, content: dict[str, Any], agent_request: AgentRequest | None
) -> WebhookDelivery:
    now = timezone.now()
    return WebhookDelivery(
        workspace=endpoint.workspace,
        endpoint=endpoint,
        message_id=f"msg_{secrets.token_urlsafe(18)}",
        event_type=event_type,
        agent_request=agent_request,
        payload={"type": event_type, "timestamp": now.isoformat(), "data": content},
        next_at=now,
        created_at=now,
    )
