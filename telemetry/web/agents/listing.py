"""The agents of a workspace: what each is, and how it fared lately (web-ui 3.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpResponse

from agents.definition import AgentDefinition
from agents.llm.catalogue import VENDORS
from agents.models import Agent
from telemetry.query.activity import Figures, activity
from telemetry.query.requests import RequestFilter, read_request_filter
from telemetry.web.figures.agent_rows import sparklines
from telemetry.web.links import new_agent_link
from telemetry.web.visit import Visit, screen
from workspaces.models import Workspace
from workspaces.roles import Scope

DEFAULT_RANGE = "7d"
_ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAgent:
    agent: Agent
    definition: AgentDefinition
    model: str
    abilities: Sequence[str]
    figures: Figures
    spark: str
    last_at: datetime | None
    """Of its newest request, whenever that was."""


@screen("agents", Scope.AGENTS_READ)
def agent_list(visit: Visit) -> HttpResponse:
    which = lately(visit.request.GET.dict())
    context = {
        "which": which,
        "agents": _listed(visit.workspace, which),
        "new_agent_url": new_agent_link(visit),
    }
    return visit.render("web/agents/list.html", context)


def lately(parameters: Mapping[str, str], *, agent_id: str = "") -> RequestFilter:
    """Requests of the span in the address, of one agent or of all."""
    span = {name: parameters[name] for name in ("range", "from", "to") if parameters.get(name)}
    return read_request_filter({**(span or {"range": DEFAULT_RANGE}), "agent": agent_id})


def model_name(definition: AgentDefinition) -> str:
    """What is asked when the definition names no model is the deployment's affair."""
    vendor = VENDORS.get(definition.provider)
    return definition.model or (vendor.model() if vendor else definition.provider)


def _listed(workspace: Workspace, which: RequestFilter) -> Sequence[ListedAgent]:
    newest = workspace.agent_requests.filter(agent=OuterRef("pk")).order_by("-pk").values("accepted_at")[:1]
    rows: Any = workspace.agents.listed().select_related("current_version").annotate(last_at=Subquery(newest))
    found = activity(workspace, which, is_compared=False)
    by_agent, sparks = found.by("agent"), sparklines(found)
    return [
        ListedAgent(
            agent=agent,
            definition=agent.definition,
            model=model_name(agent.definition),
            abilities=abilities(agent),
            figures=by_agent.get(agent.agent_id) or Figures([]),
            spark=sparks.get(agent.agent_id, ""),
            last_at=agent.last_at,
        )
        for agent in sorted(rows, key=lambda agent: (agent.is_gone or not agent.is_enabled, agent.position, agent.pk))
    ]


def abilities(agent: Agent) -> list[str]:
    """`4 tools`, `all skills`, `2 subagents`: what it has none of is left out."""
    definition = agent.definition
    skills = (len(definition.skills) or _ALL) if definition.skills_enabled else 0
    delegates = _ALL if agent.role == Agent.Role.PRIMARY else 0
    subagents = delegates if definition.subagents is None else len(definition.subagents)
    counted: list[tuple[int | str, str]] = [
        (len(definition.tools), "tool"),
        (skills, "skill"),
        (len(definition.mcp_servers), "server"),
        (subagents, "subagent"),
    ]
    told = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counted if count]
    return [*told, *(["memory"] if definition.memory_tools else [])]
