"""Tells what keeps a definition from running in a workspace, before anybody sends it a message."""

from typing import NamedTuple

from agents.build import environment_key_serves
from agents.catalogue import offered_tools
from agents.definition import AgentDefinition
from agents.llm.catalogue import PROVIDER_KINDS, VENDORS, check_model
from agents.llm.errors import UnsuitableModel
from agents.models import ProviderCredential
from agents.skill_choice import skills_of
from agents.skills.registry import SkillRegistry
from agents.skills.tool import NAME as SKILL
from agents.tools.subagent import INVOKE_SUBAGENT
from workspaces.models import Workspace
from workspaces.scoping import only


def definition_faults(workspace: Workspace, definition: AgentDefinition) -> dict[str, str]:
    """What is wrong, by field; empty when the agent can be built."""
    own = _Choice(definition.provider, definition.model, definition.credential)
    found = _choice_faults(workspace, own, prefix="")
    if "provider" not in found:
        found |= {"tools": _tools_fault(workspace, definition), "skills": skills_fault(workspace, definition)}
    found |= _fallback_faults(workspace, definition)
    found["mcp_servers"] = _mcp_fault(workspace, definition)
    found["subagents"] = _subagents_fault(workspace, definition)
    found["requires_approval"] = _approval_fault(workspace, definition)
    return {field: fault for field, fault in found.items() if fault}


class _Choice(NamedTuple):
    """One provider of an agent."""

    provider: str
    model: str
    credential: str


def _choice_faults(workspace: Workspace, choice: _Choice, *, prefix: str) -> dict[str, str]:
    if choice.provider not in PROVIDER_KINDS:
        known = ", ".join(PROVIDER_KINDS)
        return {f"{prefix}provider": f"There is no provider {choice.provider!r}; known are {known}."}
    return {f"{prefix}model": _model_fault(choice), f"{prefix}credential": _credential_fault(workspace, choice)}


def _fallback_faults(workspace: Workspace, definition: AgentDefinition) -> dict[str, str]:
    fallback = _Choice(definition.fallback_provider, definition.fallback_model, definition.fallback_credential)
    if fallback.provider:
        return _choice_faults(workspace, fallback, prefix="fallback_")
    if fallback.model or fallback.credential:
        return {"fallback_provider": "Choose the provider of the fallback model."}
    return {}


def routing_faults(definition: AgentDefinition) -> dict[str, str]:
    """What a subagent lacks: without these a primary agent does not know when to call it (contract 5.13)."""
    needed = ("display_name", "description", "capabilities", "usage_guidance")
    return {field: "A subagent needs this." for field in needed if not getattr(definition, field)}


def skills_fault(workspace: Workspace, definition: AgentDefinition) -> str:
    """Which of the skills that the definition names do not exist in this workspace."""
    try:
        skills_of(workspace, definition, SkillRegistry())
    except LookupError as error:
        return str(error.args[0])
    return ""


def _tools_fault(workspace: Workspace, definition: AgentDefinition) -> str:
    offered = offered_tools(workspace)
    missing = [name for name in definition.tools if name not in offered]
    return f"This deployment does not offer {', '.join(missing)} here." if missing else ""


def _mcp_fault(workspace: Workspace, definition: AgentDefinition) -> str:
    wanted = definition.mcp_servers
    known = set(workspace.mcp_servers.filter(agent_id="", name__in=wanted).values_list("name", flat=True))
    missing = [name for name in wanted if name not in known]
    return f"This workspace has no MCP server {', '.join(missing)}." if missing else ""


def _subagents_fault(workspace: Workspace, definition: AgentDefinition) -> str:
    wanted = definition.subagents or ()
    known = set(workspace.agents.filter(agent_id__in=wanted).values_list("agent_id", flat=True))
    missing = [agent_id for agent_id in wanted if agent_id not in known]
    return f"This workspace has no agent {', '.join(missing)}." if missing else ""


def _approval_fault(workspace: Workspace, definition: AgentDefinition) -> str:
    """A misspelt name would let the tool run unasked. What MCP servers offer is known only when they are asked."""
    known = {"*", INVOKE_SUBAGENT, SKILL, *offered_tools(workspace), *definition.tools}
    unknown = [name for name in definition.requires_approval if name not in known and not name.startswith("mcp_")]
    return f"No tool here is called {', '.join(unknown)}." if unknown else ""


def _model_fault(choice: _Choice) -> str:
    if choice.provider == "demo" or not choice.model:
        return ""
    try:
        check_model(choice.provider, choice.model)
    except UnsuitableModel as error:
        return str(error)
    return ""


def _credential_fault(workspace: Workspace, choice: _Choice) -> str:
    if choice.provider == "demo":
        return "The demo provider takes no credential." if choice.credential else ""
    if not choice.credential:
        if environment_key_serves(workspace):
            return ""
        return "Choose a credential: the operator's own keys do not serve this workspace."
    credential = only(workspace.credentials.filter(name=choice.credential))
    if credential is None:
        return f"This workspace has no credential named “{choice.credential}”."
    return _kind_fault(credential, choice)


def _kind_fault(credential: ProviderCredential, choice: _Choice) -> str:
    if credential.kind == choice.provider:
        return ""
    return f"“{credential.name}” is a credential for {credential.get_kind_display()}."


def lacks_environment_key(definition: AgentDefinition) -> bool:
    """Whether the agent would use the operator's key and this process's environment holds none; a worker's may."""
    vendor = VENDORS.get(definition.provider)
    return bool(vendor and vendor.needs_key and not definition.credential and not vendor.environment_key())
