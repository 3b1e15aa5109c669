"""Changes an agent: every change is a new version, and going back is a change too."""

import difflib
import json
from typing import Any, Protocol

import yaml
from django.db import transaction
from django.utils import timezone

from agents.definition import AgentDefinition
from agents.models import Agent, AgentVersion
from workspaces import audit
from workspaces.models import User

_KINDS = {"+": "added", "-": "removed", "@": "place"}


def save_version(
    agent: Agent, definition: AgentDefinition, *, actor: str, author: User | None = None, note: str = ""
) -> AgentVersion:
    """Makes `definition` the agent's current version; an equal definition makes no new one."""
    content: dict[str, Any] = json.loads(definition.model_dump_json())
    with transaction.atomic():
        # Two people who save at once take turns here, so numbers stay unique.
        locked = agent.workspace.agents.select_for_update(no_key=True, of=("self",)).get(pk=agent.pk)
        current = locked.current_version
        if current and current.definition == content:
            return current
        latest = locked.versions.order_by("-number").values_list("number", flat=True).first() or 0
        version = agent.workspace.agent_versions.create(
            agent=locked, number=latest + 1, definition=content, author=author, note=note, created_at=timezone.now()
        )
        agent.workspace.agents.filter(pk=agent.pk).update(current_version=version)
        audit.record(
            agent.workspace,
            actor=actor,
            action="agent.changed",
            target=agent.agent_id,
            details={"version": version.number},
        )
    agent.current_version = version
    return version


def restore_version(version: AgentVersion, *, actor: str, author: User | None = None) -> AgentVersion:
    """Goes back: the old definition becomes the newest version."""
    note = f"Back to version {version.number}"
    return save_version(version.agent, version.typed_definition, actor=actor, author=author, note=note)


class Versioned(Protocol):
    """A version of something that is defined in JSON."""

    @property
    def number(self) -> int: ...

    @property
    def definition(self) -> dict[str, Any]: ...


def version_diff(older: Versioned | None, newer: Versioned) -> str:
    """What changed, as a unified diff of the two definitions in YAML."""
    before, after = (_lines(version.definition) if version else [] for version in (older, newer))
    names = (f"v{older.number}" if older else "nothing", f"v{newer.number}")
    return "".join(difflib.unified_diff(before, after, *names, n=1))


def diff_lines(difference: str) -> list[tuple[str, str]]:
    """Kind and text of each line of a unified diff, without the two that name the files."""
    return [(_KINDS.get(line[:1], "same"), line) for line in difference.splitlines()[2:]]


def definition_yaml(definition: dict[str, Any]) -> str:
    """The definition for people to read: long texts line by line."""
    return yaml.dump(definition, Dumper=_ReadableDumper, sort_keys=False, allow_unicode=True, width=120)


class _ReadableDumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_ReadableDumper.add_representer(str, _write_text)


def _lines(definition: dict[str, Any]) -> list[str]:
    return definition_yaml(definition).splitlines(keepends=True)
