"""Arguments for every page's route, out of a workspace that holds a bit of everything."""

import base64
import json

from django.db.models import Count
from django.utils import timezone

from runtime.attachments import store
from runtime.attachments.values import Upload
from runtime.models import AgentRequest
from telemetry.models import ApiEvent
from workflows.catalogue import new_workflow
from workflows.definition import WorkflowDefinition
from workflows.evals.datasets import add_lines, make_dataset
from workflows.evals.experiments import Plan, start_experiment
from workflows.evals.models import Experiment
from workflows.models import WorkflowRun
from workflows.schedules.change import make_schedule
from workflows.start import find_workflow, start_run
from workflows.versions import save_workflow
from workflows.webhooks.change import make_endpoint, send_test
from workflows.webhooks.models import WebhookEndpoint
from workspaces import encryption
from workspaces.invitations import invite
from workspaces.models import User, Workspace
from workspaces.roles import Role
from workspaces.tokens import issue_token

_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_ACTOR = "command:benchmarks"


def examples_in(workspace: Workspace, user: User) -> dict[str, str]:
    """By the names of the arguments; those that mean something else on each page, as `<route>.<argument>`.

    The user, an owner, makes what the demo leaves out: an attachment, and a token, a credential and an invitation of which
    nobody has the secrets.
    """
    row = _telling_request(workspace)
    token, _ = issue_token(workspace, name="Shop", actor=_ACTOR, created_by=user)
    invitation, _ = invite(workspace, Role.VIEWER, by=user, email="mei@example.com")
    credential, _ = workspace.credentials.get_or_create(
        name="vendor",
        defaults={"kind": "anthropic", "encrypted_key": encryption.encrypt("sk-demo"), "created_at": timezone.now()},
    )
    run, experiment = _run(workspace), _experiment(row)
    [picture] = store.keep(workspace, [Upload(name="dot.png", content=_DOT)])
    return {
        "workspace": workspace.slug,
        "request_id": str(row.request_id),
        "agent_id": row.agent.agent_id,
        "session_id": row.session_id,
        "attachment_id": str(picture.attachment_id),
        "interaction_id": workspace.interactions.filter(state="open").order_by("-pk")[0].interaction_id,
        "workflow_id": run.workflow.workflow_id,
        "run_id": run.run_id,
        "schedule_id": str(run.workflow.schedules.all()[0].pk),
        "webhook_id": str(_endpoint(workspace).pk),
        "dataset_id": str(experiment.dataset.pk),
        "experiment_id": str(experiment.pk),
        "event_id": str(_telling_call(workspace).pk),
        "steer.verb": "rerun",
        "request-chosen.verb": "rerun",
        "settings-member.pk": str(workspace.memberships.get(user=user).pk),
        "settings-invitation-revoke.pk": str(invitation.pk),
        "settings-token-revoke.pk": str(token.pk),
        "settings-credential.pk": str(credential.pk),
        "settings-credential-remove.pk": str(credential.pk),
        "settings-price-remove.pk": str(workspace.price_overrides.all()[0].pk),
    }


def _run(workspace: Workspace) -> WorkflowRun:
    """Of a small workflow that a schedule runs every morning."""
    steps = [
        {"id": "ask", "kind": "human", "prompt": "Shall I send the report of ${input.day}?"},
        {"id": "wait", "kind": "wait", "signal": "sent", "when": "steps.ask.response == 'approve'"},
    ]
    schema = {"type": "object", "properties": {"day": {"type": "string", "description": "As in 2026-11-23."}}}
    definition = WorkflowDefinition.model_validate({"steps": steps, "input_schema": schema})
    workflow = workspace.workflows.filter(workflow_id="morning-report").first()
    if workflow is None:
        workflow = new_workflow(workspace, "morning-report")
        save_workflow(workflow, definition, actor=_ACTOR)
        make_schedule(workflow, {"name": "every morning", "cron": "0 9 * * *", "zone": "Europe/Berlin"}, by=_ACTOR)
    return start_run(find_workflow(workspace, "morning-report"), {"day": "today"}, by=_ACTOR)


def _endpoint(workspace: Workspace) -> WebhookEndpoint:
    """Which nobody listens to, so it is switched off, with a message that was never sent."""
    known = workspace.webhook_endpoints.filter(name="shop").first()
    if known is None:
        about = {"name": "shop", "url": "https://shop.example/ends", "is_enabled": False}
        known = make_endpoint(workspace, about, by=_ACTOR)
        workspace.webhook_deliveries.filter(pk=send_test(known).pk).update(state="failed", next_at=None)
    return known


def _experiment(row: AgentRequest) -> Experiment:
    """Over a dataset of one question."""
    name = f"orders {row.workspace.experiments.count() + 1}"
    dataset = row.workspace.datasets.filter(name="orders").first() or make_dataset(row.workspace, "orders", by=_ACTOR)
    add_lines(dataset, '{"message": "Where is my order?", "expected": "on its way"}')
    wanted = Plan(name=name, agent_version=row.agent_version, checks=[{"kind": "contains"}])
    return start_experiment(dataset, wanted, by=_ACTOR)


def _telling_call(workspace: Workspace) -> ApiEvent:
    """Among the newest calls the one with the longest bodies."""
    newest = workspace.api_events.order_by("-pk")[:50]
    return max(newest, key=lambda call: len(json.dumps([call.request_body, call.response_body])))


def _telling_request(workspace: Workspace) -> AgentRequest:
    """The newest that has handed work on, or else the newest with a long log."""
    rows = workspace.agent_requests.filter(status="completed", parent=None, kind="turn").select_related("agent")
    newest = rows.filter(last_sequence__lt=200).order_by("-pk")[:500]
    handed_on = workspace.agent_requests.filter(parent__in=newest.values("pk")).values("parent").annotate(Count("pk"))
    for entry in handed_on.order_by("-parent")[:1]:
        return rows.get(pk=int(entry["parent"] or 0))
    return max(newest, key=lambda row: row.last_sequence)
