"""`POST /hooks/<signed>`: the body is the run's input."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runtime.api.requests import checked_key
from workflows.errors import HookNotFound
from workflows.hooks.address import hook_of
from workflows.hooks.models import InboundHook
from workflows.models import WorkflowRun
from workflows.public import shown_status
from workflows.start import Trigger, find_workflow, start_run
from workspaces.api.envelope import data

# As senders of Standard Webhooks and of our own API name a call, so that one that is sent twice is one run.
_CALL_HEADERS = ("webhook-id", "Idempotency-Key")


class HookView(APIView):
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(exclude=True)
    def post(self, request: Request, signed: str) -> Response:
        """Start a run; a call that comes again is answered with the run that it has started."""
        hook = hook_of(signed)
        if hook is None:
            raise HookNotFound("There is no such hook.")
        call = next((checked_key(request.headers[name]) for name in _CALL_HEADERS if request.headers.get(name)), "")
        run = _earlier(hook, call) or _start(hook, request.data, call)
        status = shown_status(run.agent_request.status)
        return data({"run_id": run.run_id, "workflow_id": hook.workflow.workflow_id, "status": status}, status=202)


def _start(hook: InboundHook, given: Any, call: str) -> WorkflowRun:
    try:
        with transaction.atomic():
            workflow = find_workflow(hook.workspace, hook.workflow.workflow_id)
            run = start_run(workflow, given, by=f"hook:{hook.name}", trigger=Trigger.HOOK)
            hook.workspace.workflow_runs.filter(pk=run.pk).update(hook=hook, hook_call=call)
            hook.workspace.inbound_hooks.filter(pk=hook.pk).update(last_used_at=timezone.now())
            return run
    except IntegrityError:
        # The same call came in at the same moment and was first.
        if earlier := _earlier(hook, call):
            return earlier
        raise


def _earlier(hook: InboundHook, call: str) -> WorkflowRun | None:
    if not call:
        return None
    return hook.workspace.workflow_runs.select_related("agent_request").filter(hook=hook, hook_call=call).first()
