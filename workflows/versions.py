"""Changes a workflow: every change is a new version, and going back is a change too."""

import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.definition import AgentDefinition
from agents.versions import save_version
from workflows.definition import WorkflowDefinition
from workflows.models import Workflow, WorkflowVersion
from workspaces import audit
from workspaces.models import User


def save_workflow(
    workflow: Workflow, definition: WorkflowDefinition, *, actor: str, author: User | None = None, note: str = ""
) -> WorkflowVersion:
    """Makes `definition` the workflow's current version; an equal definition makes no new one."""
    content: dict[str, Any] = json.loads(definition.model_dump_json(exclude_defaults=True))
    with transaction.atomic():
        locked = workflow.workspace.workflows.select_for_update(no_key=True, of=("self",)).get(pk=workflow.pk)
        current = locked.current_version
        if current and current.definition == content:
            return current
        latest = locked.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = workflow.workspace.workflow_versions.create(
            workflow=locked, number=latest + 1, definition=content, author=author, note=note, created_at=timezone.now()
        )
        workflow.workspace.workflows.filter(pk=workflow.pk).update(current_version=version)
        # The runtime counts what runs by agents.
        limits = AgentDefinition(max_concurrent_requests=definition.max_concurrent_runs)
        save_version(workflow.agent, limits, actor=actor, author=author, note=note)
        audit.record(
            workflow.workspace,
            actor=actor,
            action="workflow.changed",
            target=workflow.workflow_id,
            details={"version": version.number},
        )
    workflow.current_version = version
    return version
