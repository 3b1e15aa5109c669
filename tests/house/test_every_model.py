"""Every model hangs from a workspace, and no query on it starts from nowhere (style.md 5)."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from workspaces.models import User, Workspace
from workspaces.scoping import UnscopedQuery

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("mashsite", "workspaces", "agents", "runtime", "workflows", "telemetry")
GLOBAL = {Workspace, User}
# Files beside models.py and the admin that may start at no workspace: what looks after all of them, and the door itself
MAY_NAME_ROWS = {
    "runtime/attachments/store.py",
    "runtime/recover.py",
    "runtime/claim.py",
    "runtime/drafts.py",
    "runtime/lease.py",
    "runtime/horizon.py",
    "runtime/readers.py",
    "runtime/sweeper.py",
    "runtime/wait.py",
    "runtime/management/commands/mash_rebuild.py",
    "runtime/management/commands/mash_replay.py",
    "runtime/management/commands/mash_worker.py",
    "telemetry/api_log/writer.py",
    "workflows/hooks/address.py",
    "workflows/schedules/fire.py",
    "workflows/schedules/timers.py",
    "workflows/webhooks/collect.py",
    "workflows/webhooks/deliver.py",
    "workspaces/access.py",
    "workspaces/authenticate.py",
    "workspaces/invitations.py",
}
OUR_MODELS = [model for model in apps.get_models() if model._meta.app_label in ROOMS]
TENANT_MODELS = [model for model in OUR_MODELS if model not in GLOBAL]


def reaches_workspace(model: type[models.Model], seen: frozenset[type[models.Model]] = frozenset()) -> bool:
    """Whether a chain of required foreign keys leads to the workspace."""
    if model is Workspace:
        return True
    keys = [field for field in model._meta.fields if isinstance(field, models.ForeignKey) and not field.null]
    return any(key.related_model not in seen and reaches_workspace(key.related_model, seen | {model}) for key in keys)


@pytest.mark.parametrize("model", TENANT_MODELS)
def test_it_hangs_from_a_workspace(model: type[models.Model]) -> None:
    assert reaches_workspace(model)


@pytest.mark.parametrize("model", TENANT_MODELS)
def test_its_objects_refuse_a_query(model: type[models.Model]) -> None:
    with pytest.raises(UnscopedQuery):
        model.objects.all()  # type: ignore[attr-defined]  # every model has it
    with pytest.raises(UnscopedQuery):
        model.objects.filter(pk=1)  # type: ignore[attr-defined]


def test_open_managers_are_named_in_few_files() -> None:
    naming = {
        str(path.relative_to(ROOT))
        for path in _sources()
        # Of a class: pages and tables have rows too, which are read already.
        if re.search(r"\b[A-Z]\w*\.rows\b|\w\._default_manager\b", path.read_text())
    }
    naming = {name for name in naming if not re.search(r"/(models|admin)(\.py|/)", name)}
    assert naming <= MAY_NAME_ROWS
    assert naming >= MAY_NAME_ROWS, "These need no exception any more."


def _sources() -> list[Path]:
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return [path for path in sources if "migrations" not in path.parts]
