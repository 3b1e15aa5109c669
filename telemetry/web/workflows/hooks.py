"""Addresses that start runs: made, drawn anew, switched off and removed from the workflow's page."""

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import Http404, HttpResponse
from django.utils import timezone

from telemetry.web.visit import Visit, screen
from workflows.errors import HookExists
from workflows.hooks.models import InboundHook
from workflows.models import Workflow
from workflows.start import find_workflow
from workspaces import audit
from workspaces.api.envelope import InvalidRequest
from workspaces.errors import MashError
from workspaces.roles import Scope
from workspaces.scoping import only


@screen("workflows", Scope.AGENTS_WRITE, methods=("POST",))
def change_hooks(visit: Visit, workflow_id: str) -> HttpResponse:
    """`action=make` with `name`, or `action=anew|off|on|remove` with `hook`."""
    workflow = find_workflow(visit.workspace, workflow_id)
    action = visit.request.POST.get("action", "")
    try:
        if action == "make":
            _make(visit, workflow, visit.request.POST.get("name", "").strip()[:100])
        else:
            _change(visit, _the_hook(workflow, visit.request.POST.get("hook", "")), action)
    except MashError as error:
        messages.error(visit.request, error.message)
    return visit.go(f"{visit.link('workflow', workflow.workflow_id)}?tab=hooks")


def _make(visit: Visit, workflow: Workflow, name: str) -> None:
    if not name:
        raise InvalidRequest("A hook needs a name.")
    about = {"workflow": workflow, "created_by": visit.principal.name, "created_at": timezone.now()}
    try:
        with transaction.atomic():
            hook = visit.workspace.inbound_hooks.create(name=name, **about)
            _record(visit, hook, "hook.changed")
    except IntegrityError as error:
        raise HookExists("There is a hook of this name already.") from error


def _change(visit: Visit, hook: InboundHook, action: str) -> None:
    with transaction.atomic():
        rows = visit.workspace.inbound_hooks.filter(pk=hook.pk)
        match action:
            case "anew":
                rows.update(generation=F("generation") + 1)
            case "off" | "on":
                rows.update(is_enabled=action == "on")
            case "remove":
                rows.delete()
            case _:
                raise Http404
        _record(visit, hook, "hook.removed" if action == "remove" else "hook.changed")


def _the_hook(workflow: Workflow, key: str) -> InboundHook:
    found = only(workflow.inbound_hooks.filter(pk=int(key))) if key.isdecimal() and len(key) < 19 else None
    if found is None:
        raise Http404
    return found


def _record(visit: Visit, hook: InboundHook, action: str) -> None:
    audit.record(visit.workspace, actor=visit.principal.name, action=action, target=hook.name)
