"""Takes a workspace's agents out as YAML and puts them in again: between deployments, into version control and back.

An agent that code defines travels as the workspace's overrides alone. Credentials stay behind; a definition names them.
"""

import difflib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from django.db import transaction
from django.utils import timezone

from agents.agent_file import AgentEntry, AgentFile, InvalidAgentFile, Problem
from agents.catalogue import code_agents, code_definition, offered_tools
from agents.check import skills_fault
from agents.definition import AgentDefinition
from agents.models import Agent
from agents.versions import save_version
from workspaces import audit
from workspaces.models import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an import does to one agent; an empty diff means nothing."""

    agent_id: str
    is_new: bool
    diff: str
    warnings: tuple[str, ...]
    """Why the agent will not run as it is."""


def export_agents(workspace: Workspace, *, only: Collection[str] = ()) -> str:
    """The workspace's agents as YAML, all or those named; `InvalidAgentFile` when a named one is not there."""
    agents = list(workspace.agents.listed().select_related("current_version"))
    if missing := sorted(set(only) - {agent.agent_id for agent in agents}):
        raise InvalidAgentFile([Problem(0, f"{workspace} has no agent {agent_id!r}.") for agent_id in missing])
    chosen = [_entry(agent) for agent in agents if not only or agent.agent_id in only]
    return _yaml({"agents": [_as_data(entry) for entry in chosen]})


def plan_import(workspace: Workspace, file: AgentFile) -> list[Change]:
    """What an import would change, without changing anything; raises `InvalidAgentFile` when it cannot be done."""
    existing = {agent.agent_id: agent for agent in workspace.agents.select_related("current_version")}
    problems = [problem for entry in file.agents for problem in _misfits(entry, existing.get(entry.agent_id))]
    problems += _second_primary(file, existing.values())
    if problems:
        raise InvalidAgentFile(problems)
    return [_change(workspace, entry, existing.get(entry.agent_id)) for entry in file.agents]


def import_agents(workspace: Workspace, file: AgentFile, *, actor: str) -> list[Change]:
    """Makes the workspace's agents as the file says, all or none; agents that it does not name stay as they are."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        changes = plan_import(workspace, file)
        first_free = workspace.agents.count()
        # The primary agent comes last: at no moment may there be two.
        for place, entry in sorted(enumerate(file.agents, first_free), key=lambda item: item[1].is_primary):
            _write(workspace, entry, position=place, actor=actor)
    return changes


def _entry(agent: Agent) -> AgentEntry:
    is_code = agent.source == Agent.Source.CODE
    return AgentEntry(
        agent_id=agent.agent_id,
        role="primary" if agent.role == Agent.Role.PRIMARY else "subagent",
        enabled=agent.is_enabled,
        definition=None if is_code else agent.definition,
        overrides=agent.overrides if is_code else None,
    )


def _misfits(entry: AgentEntry, agent: Agent | None) -> list[Problem]:
    """Where the file and the deployment speak of different kinds of agent."""
    is_code = entry.agent_id in code_agents() if agent is None else agent.source == Agent.Source.CODE
    if entry.overrides is None:
        text = f"{entry.agent_id} is defined in code here: give `overrides` in place of `definition`."
        return [Problem(entry.line, text)] if is_code else []
    if is_code and entry.agent_id in code_agents():
        return []
    return [Problem(entry.line, f"No code defines {entry.agent_id} here, so there is nothing to override.")]


def _second_primary(file: AgentFile, existing: Collection[Agent]) -> list[Problem]:
    named = {entry.agent_id for entry in file.agents}
    staying = [agent.agent_id for agent in existing if agent.role == Agent.Role.PRIMARY and agent.agent_id not in named]
    new = [entry for entry in file.agents if entry.is_primary]
    if not (staying and new):
        return []
    text = f"{staying[0]} is the primary agent here. Add it to the file as a subagent, or make {new[0].agent_id} one."
    return [Problem(new[0].line, text)]


def _change(workspace: Workspace, entry: AgentEntry, agent: Agent | None) -> Change:
    before = _yaml(_as_data(_entry(agent))) if agent else ""
    diff = difflib.unified_diff(
        before.splitlines(keepends=True), _yaml(_as_data(entry)).splitlines(keepends=True), "now", "file", n=1
    )
    return Change(
        agent_id=entry.agent_id,
        is_new=agent is None,
        diff="".join(diff),
        warnings=tuple(_warnings(workspace, _definition(entry))),
    )


def _warnings(workspace: Workspace, definition: AgentDefinition) -> Sequence[str]:
    warnings = []
    if missing := sorted(set(definition.tools) - set(offered_tools(workspace))):
        warnings.append(f"This deployment does not offer the tools {', '.join(missing)}.")
    if definition.credential and not workspace.credentials.filter(name=definition.credential).exists():
        warnings.append(f"{workspace} has no credential named {definition.credential!r}.")
    if fault := skills_fault(workspace, definition):
        warnings.append(fault)
    return warnings


def _definition(entry: AgentEntry) -> AgentDefinition:
    if entry.overrides is None:
        return entry.definition or AgentDefinition()
    return code_definition(code_agents()[entry.agent_id], entry.overrides)


def _write(workspace: Workspace, entry: AgentEntry, *, position: int, actor: str) -> None:
    state = {"role": entry.role, "is_enabled": entry.enabled, "overrides": entry.overrides or {}}
    agent, is_new = workspace.agents.get_or_create(
        agent_id=entry.agent_id,
        defaults={
            **state,
            "source": Agent.Source.DATABASE if entry.overrides is None else Agent.Source.CODE,
            "position": position,
            "created_at": timezone.now(),
        },
    )
    if not is_new and any(getattr(agent, name) != value for name, value in state.items()):
        workspace.agents.filter(pk=agent.pk).update(**state)
        audit.record(workspace, actor=actor, action="agent.changed", target=agent.agent_id, details=state)
    save_version(agent, _definition(entry), actor=actor, note="Imported")


def _as_data(entry: AgentEntry) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(entry.model_dump_json(exclude={"line"}, exclude_none=True))
    if entry.definition is not None:
        # Unset limits are null in the definition, and said so.
        content["definition"] = json.loads(entry.definition.model_dump_json())
    return content


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, so that prompts read and compare line by line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
