"""What there is to do in a workspace before it has a first request."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.web.links import new_agent_link
from telemetry.web.visit import Visit
from workspaces.roles import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    title: str
    about: str
    is_done: bool
    href: str = ""
    """Where it is done; empty for who may not."""
    link: str = ""
    otherwise: str = ""
    """What to do who may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    steps: Sequence[Step]
    agent_id: str


def first_run(visit: Visit) -> FirstRun:
    agent_id = visit.workspace.agents.offered().values_list("agent_id", flat=True).first() or ""
    return FirstRun(
        agent_id=agent_id or "assistant",
        steps=(
            Step(
                title="Create an agent",
                about="A system prompt, a model, and the tools that it may use.",
                is_done=bool(agent_id),
                href=new_agent_link(visit),
                link="New agent",
                otherwise="Ask somebody who may define agents.",
            ),
            Step(
                title="Make an API token",
                about="Programs send it with every request. Pages such as the chat need none.",
                is_done=visit.workspace.tokens.filter(revoked_at=None).exists(),
                href=visit.link("settings-token-new") if visit.may(Scope.MEMBERS_WRITE) else "",
                link="New token",
                otherwise="Ask an owner or admin of the workspace.",
            ),
            Step(
                title="Send a request",
                about="From the chat, or from your own program:",
                is_done=False,
                href=visit.link("chat") if visit.may(Scope.AGENTS_RUN) else "",
                link="Open the chat",
                otherwise="Ask somebody who may send messages to agents.",
            ),
        ),
    )
