"""Outbound webhooks over HTTP: endpoints, and the log of deliveries."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.parameters import CURSOR, LIMIT
from runtime.api.responses import enveloped
from workflows.api.shapes import Shape
from workflows.errors import EndpointNotFound
from workflows.webhooks.change import change_endpoint, make_endpoint, redeliver, remove_endpoint, send_test
from workflows.webhooks.models import EVENT_TYPES, WebhookDelivery, WebhookEndpoint
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.pagination import newest_first
from workspaces.api.serializers import BodySerializer, StrictCharField, read_body
from workspaces.roles import Scope
from workspaces.scoping import only


class EndpointChange(BodySerializer):
    name = StrictCharField(max_length=100, required=False)
    url = StrictCharField(max_length=500, required=False)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=len(EVENT_TYPES)
    )
    is_enabled = serializers.BooleanField(required=False)


class EndpointBody(EndpointChange):
    name = StrictCharField(max_length=100)
    url = StrictCharField(max_length=500)


class EndpointShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    url = serializers.CharField()
    event_types = serializers.ListField(child=serializers.CharField())
    is_enabled = serializers.BooleanField()
    fault = serializers.CharField(allow_blank=True)
    created_at = serializers.FloatField()


class NewEndpointShape(EndpointShape):
    secret = serializers.CharField(help_text="Told once, for the receiver.")


class EndpointListShape(Shape):
    webhooks = EndpointShape(many=True)


class DeliveryShape(Shape):
    message_id = serializers.CharField()
    event_type = serializers.CharField()
    state = serializers.ChoiceField(WebhookDelivery.State.choices)
    attempts = serializers.IntegerField()
    next_at = serializers.FloatField(allow_null=True)
    status_code = serializers.IntegerField(allow_null=True)
    fault = serializers.CharField(allow_blank=True)
    took_ms = serializers.IntegerField(allow_null=True)
    payload = serializers.JSONField()
    created_at = serializers.FloatField()
    ended_at = serializers.FloatField(allow_null=True)


class DeliveryListShape(Shape):
    deliveries = DeliveryShape(many=True)
    next = serializers.CharField(allow_null=True)


class EndpointListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ, "POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="list_webhooks", responses=enveloped(EndpointListShape))
    def get(self, request: Request) -> Response:
        """List the addresses that are told of ends."""
        return data(
            {"webhooks": [endpoint_row(row) for row in principal_of(request).workspace.webhook_endpoints.all()]}
        )

    @extend_schema(operation_id="make_webhook", request=EndpointBody, responses=enveloped(NewEndpointShape))
    def post(self, request: Request) -> Response:
        """Let an address be told when requests and runs end, signed as Standard Webhooks says."""
        principal, values = principal_of(request), read_body(request, EndpointBody)
        endpoint = make_endpoint(principal.workspace, values, by=principal.name)
        return data({**endpoint_row(endpoint), "secret": endpoint.secret})


class EndpointView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ, "PATCH": Scope.AGENTS_WRITE, "DELETE": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="get_webhook", responses=enveloped(EndpointShape))
    def get(self, request: Request, webhook_id: int) -> Response:
        """Tell what it is told of."""
        return data(endpoint_row(the_endpoint(request, webhook_id)))

    @extend_schema(operation_id="change_webhook", request=EndpointChange, responses=enveloped(EndpointShape))
    def patch(self, request: Request, webhook_id: int) -> Response:
        """Change it. One that is switched on again is told of what ends from then on."""
        endpoint, values = the_endpoint(request, webhook_id), read_body(request, EndpointChange)
        return data(endpoint_row(change_endpoint(endpoint, values, by=principal_of(request).name)))

    @extend_schema(operation_id="remove_webhook", responses={200: enveloped(EndpointShape)})
    def delete(self, request: Request, webhook_id: int) -> Response:
        """Remove it, with its log of deliveries."""
        endpoint = the_endpoint(request, webhook_id)
        row = endpoint_row(endpoint)
        remove_endpoint(endpoint, by=principal_of(request).name)
        return data(row)


class TestEndpointView(APIView):
    required_scopes = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="test_webhook", request=None, responses=enveloped(DeliveryShape))
    def post(self, request: Request, webhook_id: int) -> Response:
        """Send it a message that says that it is a test."""
        return data(delivery_row(send_test(the_endpoint(request, webhook_id))))


class DeliveryListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(
        operation_id="list_webhook_deliveries", parameters=[LIMIT, CURSOR], responses=enveloped(DeliveryListShape)
    )
    def get(self, request: Request, webhook_id: int) -> Response:
        """List what was sent to it, newest first; kept for 30 days."""
        page, cursor = newest_first(request, the_endpoint(request, webhook_id).deliveries.all())
        return data({"deliveries": [delivery_row(row) for row in page], "next": cursor})


class RedeliverView(APIView):
    required_scopes = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="redeliver_webhook", request=None, responses=enveloped(DeliveryShape))
    def post(self, request: Request, webhook_id: int, message_id: str) -> Response:
        """Send the same message once more."""
        delivery = only(the_endpoint(request, webhook_id).deliveries.filter(message_id=message_id.replace("\x00", "")))
        if delivery is None:
            raise EndpointNotFound("There is no such delivery of this endpoint.")
        return data(delivery_row(redeliver(delivery)))


def the_endpoint(request: Request, webhook_id: int) -> WebhookEndpoint:
    found = only(principal_of(request).workspace.webhook_endpoints.select_related("workspace").filter(pk=webhook_id))
    if found is None:
        raise EndpointNotFound("There is no such webhook.")
    return found


def endpoint_row(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": endpoint.pk,
        "name": endpoint.name,
        "url": endpoint.url,
        "event_types": endpoint.event_types,
        "is_enabled": endpoint.is_enabled,
        "fault": endpoint.fault,
        "created_at": endpoint.created_at.timestamp(),
    }


def delivery_row(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "message_id": delivery.message_id,
        "event_type": delivery.event_type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at.timestamp() if delivery.next_at else None,
        "status_code": delivery.status_code,
        "fault": delivery.fault,
        "took_ms": delivery.took_ms,
        "payload": delivery.payload,
        "created_at": delivery.created_at.timestamp(),
        "ended_at": delivery.ended_at.timestamp() if delivery.ended_at else None,
    }
