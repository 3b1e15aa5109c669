"""Which workflows and functions the deployment's code offers, and how workflows get into every workspace."""

import importlib
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import module_has_submodule

from agents.catalogue import load_host
from agents.models import Agent
from workflows.code import CodeFunction, CrashPolicy, code_function
from workflows.evals.steps import eval_functions
from workflows.masher.workflows import build_masher_workflow_specs
from workflows.models import Workflow
from workflows.spec import WorkflowSpec
from workflows.versions import save_workflow
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

_offered: dict[str, CodeFunction] = {}
_registered: dict[str, WorkflowSpec] = {}


def offer_function(
    function: Callable[..., Any], *, name: str = "", crash_policy: CrashPolicy = "at_most_once", timeout_s: float = 300
) -> CodeFunction:
    """Lets workflows that are defined in the admin call this function. Call it in an installed app's `workflows.py`."""
    offered = code_function(function, name=name, crash_policy=crash_policy, timeout_s=timeout_s)
    _offered[offered.name] = offered
    return offered


def register_workflow(spec: WorkflowSpec) -> WorkflowSpec:
    """Adds an app's workflow to every workspace. Call it in an installed app's `workflows.py`."""
    if spec.workflow_id in _registered:
        raise ImproperlyConfigured(f"Two apps define a workflow {spec.workflow_id!r}.")
    _registered[spec.workflow_id] = spec
    return spec


def code_workflows() -> Mapping[str, WorkflowSpec]:
    """Every workflow that code defines, by id."""
    load_apps()
    host = load_host(settings.MASH_HOST_APP) if settings.MASH_HOST_APP else None
    has_masher = settings.MASH_MASHER_ENABLED if host is None or host.has_masher is None else host.has_masher
    masher = masher_specs() if has_masher else {}
    found = {**masher, **_registered}
    for spec in host.workflows if host else ():
        if not isinstance(spec, WorkflowSpec):
            raise ImproperlyConfigured(f"{spec.workflow_id!r} is no WorkflowSpec.")
        if spec.workflow_id in found:
            raise ImproperlyConfigured(f"Two hosts define a workflow {spec.workflow_id!r}.")
        found[spec.workflow_id] = spec
    return found


def code_functions() -> Mapping[str, CodeFunction]:
    """Every function that steps may call, by name."""
    specs = [*masher_specs().values(), *code_workflows().values()]
    ours = {function.name: function for function in eval_functions()}
    return {**ours, **_offered, **{function.name: function for spec in specs for function in spec.functions}}


def sync_code_workflows(workspaces: Iterable[Workspace]) -> None:
    """Gives each workspace a row for every code-defined workflow; runs at every start and for each new workspace."""
    specs = code_workflows()
    for workspace in workspaces:
        ours = workspace.workflows.filter(source=Workflow.Source.CODE)
        ours.exclude(workflow_id__in=specs).update(is_gone=True)
        for position, spec in enumerate(specs.values()):
            _sync(workspace, spec, position)


def _sync(workspace: Workspace, spec: WorkflowSpec, position: int) -> None:
    with transaction.atomic():
        workflow = workspace.workflows.filter(workflow_id=spec.workflow_id).first()
        if workflow is not None and workflow.source != Workflow.Source.CODE:
            logger.warning(
                "Workspace %s has a workflow %s of its own; the one in code is left out", workspace, workflow
            )
            return
        workflow = workflow or new_workflow(workspace, spec.workflow_id, source=Workflow.Source.CODE, position=position)
        save_workflow(workflow, spec.definition(), actor="code", note="From code")
        workspace.workflows.filter(pk=workflow.pk).update(is_gone=False)


def new_workflow(
    workspace: Workspace, workflow_id: str, *, source: str = Workflow.Source.DATABASE, position: int = 0
) -> Workflow:
    """A workflow without a definition yet, and the agent that stands for it in requests and logs."""
    return workspace.workflows.create(
        workflow_id=workflow_id,
        agent=agent_for(workspace, workflow_id),
        source=source,
        position=position,
        created_at=timezone.now(),
    )


def agent_for(workspace: Workspace, workflow_id: str) -> Agent:
    """The agent that stands for a new workflow in requests and logs; nobody sees it, and it takes no messages."""
    agent_id, now = f"{AGENT_PREFIX}{workflow_id}", timezone.now()
    return workspace.agents.create(agent_id=agent_id, role=Agent.Role.WORKFLOW, created_at=now)


AGENT_PREFIX = "workflow:"


@cache
def masher_specs() -> Mapping[str, WorkflowSpec]:
    return {spec.workflow_id: spec for spec in build_masher_workflow_specs()}


@cache
def load_apps() -> None:
    """Imports every installed app's `workflows.py`, which registers what the app offers."""
    for app in apps.get_app_configs():
        if app.module and module_has_submodule(app.module, "workflows"):
            importlib.import_module(f"{app.name}.workflows")
