"""With whom the shell talks, and in which session."""

import uuid
from dataclasses import dataclass, field
from typing import Self

from agents.identifiers import subagent_session_id
from runtime.client import MashClient


class NoSuchAgent(Exception):
    """The workspace lists no agent of that name; the text names those it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftRequest:
    """A request that waits for an answer and that nobody watches; its question comes right after the cursor."""

    agent_id: str
    request_id: str
    cursor: int


@dataclass(slots=True, kw_only=True)
class Conversation:
    client: MashClient
    primary_agent_id: str
    agent_id: str
    session_id: str
    earlier_sessions: dict[str, str] = field(default_factory=dict)
    left: LeftRequest | None = None

    @classmethod
    def open(cls, client: MashClient, *, agent_id: str, session_id: str) -> Self:
        """With the named agent, else the primary one; in the named session, else a new one."""
        deployment = client.health()["deployment"]
        listed = [agent["agent_id"] for agent in deployment["agents"]]
        chosen = agent_id.strip() or deployment["primary_agent_id"] or ""
        if not chosen:
            raise NoSuchAgent(
                f"This workspace has no primary agent. Make one in the admin at {client.base_url}/admin/."
            )
        if chosen not in listed:
            raise _unknown(chosen, listed)
        return cls(
            client=client,
            primary_agent_id=deployment["primary_agent_id"] or "",
            agent_id=chosen,
            session_id=session_id.strip() or str(uuid.uuid4()),
        )

    def switch_to(self, agent_id: str) -> None:
        """Goes on with another agent: in its earlier session, else in the one that its delegations use (contract 9.4)."""
        roles = {agent["agent_id"]: agent["role"] for agent in self.client.list_agents()["agents"]}
        if agent_id not in roles:
            raise _unknown(agent_id, list(roles))
        self.earlier_sessions[self.agent_id] = self.session_id
        is_delegation = self.agent_id == self.primary_agent_id and roles[agent_id] == "subagent"
        derived = subagent_session_id(self.agent_id, self.session_id, agent_id) if is_delegation else self.session_id
        self.session_id = self.earlier_sessions.get(agent_id, derived)
        self.agent_id = agent_id


def _unknown(agent_id: str, listed: list[str]) -> NoSuchAgent:
    return NoSuchAgent(f"There is no agent {agent_id!r}. This workspace has: {', '.join(listed) or 'none'}.")
