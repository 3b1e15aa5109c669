"""Inbound hooks over HTTP: addresses that start runs."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.responses import enveloped
from workflows.api.lookup import the_workflow
from workflows.api.shapes import Shape
from workflows.errors import HookExists, HookNotFound
from workflows.hooks.address import signed_part
from workflows.hooks.models import InboundHook
from workspaces import audit
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.serializers import BodySerializer, StrictCharField, read_body
from workspaces.roles import Scope
from workspaces.scoping import only


class HookBody(BodySerializer):
    name = StrictCharField(max_length=100)


class HookChange(BodySerializer):
    is_enabled = serializers.BooleanField(required=False)
    new_address = serializers.BooleanField(default=False, help_text="Makes the address of now void.")


class HookShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    workflow_id = serializers.CharField()
    url = serializers.URLField()
    is_enabled = serializers.BooleanField()
    last_used_at = serializers.FloatField(allow_null=True)


class HookListShape(Shape):
    hooks = HookShape(many=True)


# Who sees an address can start runs, so it takes the right to change agents.
class HookListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="list_inbound_hooks", responses=enveloped(HookListShape))
    def get(self, request: Request) -> Response:
        """List the addresses that start runs."""
        rows = principal_of(request).workspace.inbound_hooks.select_related("workflow")
        return data({"hooks": [_row(request, hook) for hook in rows]})


class NewHookView(APIView):
    required_scopes = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="make_inbound_hook", request=HookBody, responses=enveloped(HookShape))
    def post(self, request: Request, workflow_id: str) -> Response:
        """Make an address that starts runs of a workflow: whoever posts JSON to it gives the input."""
        workflow, values = the_workflow(request, workflow_id), read_body(request, HookBody)
        principal = principal_of(request)
        about = {"workflow": workflow, "created_by": principal.name, "created_at": timezone.now()}
        try:
            with transaction.atomic():
                hook = principal.workspace.inbound_hooks.create(name=values["name"], **about)
                _record(request, hook, "hook.changed")
        except IntegrityError as error:
            raise HookExists("There is a hook of this name already.", details={"field": "name"}) from error
        return data(_row(request, hook))


class HookView(APIView):
    required_scopes = {"PATCH": Scope.AGENTS_WRITE, "DELETE": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="change_inbound_hook", request=HookChange, responses=enveloped(HookShape))
    def patch(self, request: Request, hook_id: int) -> Response:
        """Switch it off or on, or draw its address anew."""
        hook, values = _the_hook(request, hook_id), read_body(request, HookChange)
        hook.is_enabled = values.get("is_enabled", hook.is_enabled)
        if values["new_address"]:
            hook.generation = F("generation") + 1
        with transaction.atomic():
            hook.save(update_fields=["is_enabled", "generation"])
            _record(request, hook, "hook.changed")
        hook.refresh_from_db()
        return data(_row(request, hook))

    @extend_schema(operation_id="remove_inbound_hook", responses={200: enveloped(HookShape)})
    def delete(self, request: Request, hook_id: int) -> Response:
        """Remove it; its runs stay."""
        hook = _the_hook(request, hook_id)
        row = _row(request, hook)
        with transaction.atomic():
            _record(request, hook, "hook.removed")
            hook.delete()
        return data(row)


def _the_hook(request: Request, hook_id: int) -> InboundHook:
    found = only(principal_of(request).workspace.inbound_hooks.select_related("workflow").filter(pk=hook_id))
    if found is None:
        raise HookNotFound("There is no such hook.")
    return found


def _record(request: Request, hook: InboundHook, action: str) -> None:
    principal = principal_of(request)
    audit.record(principal.workspace, actor=principal.name, action=action, target=hook.name)


def _row(request: Request, hook: InboundHook) -> dict[str, Any]:
    return {
        "id": hook.pk,
        "name": hook.name,
        "workflow_id": hook.workflow.workflow_id,
        "url": request.build_absolute_uri(reverse("inbound-hook", args=[signed_part(hook)])),
        "is_enabled": hook.is_enabled,
        "last_used_at": hook.last_used_at.timestamp() if hook.last_used_at else None,
    }
