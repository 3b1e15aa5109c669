"""From the ids in an address to the session that they mean, always through the visitor's workspace."""

from agents.memory.history import find_session
from agents.models import Agent
from runtime.errors import AgentNotFound
from telemetry.query.transcript_entry import Subject
from workspaces.models import Workspace
from workspaces.scoping import only


def find_subject(workspace: Workspace, agent_id: str, session_id: str) -> Subject:
    """The agent must be there; whether the session is, its requests say too."""
    agent = find_agent(workspace, agent_id)
    stored = session_id.replace("\x00", "\ufffd")
    session = find_session(workspace, agent_id=agent.agent_id, session_id=stored)
    return Subject(workspace=workspace, agent=agent, session_id=stored, session=session)


def find_agent(workspace: Workspace, agent_id: str) -> Agent:
    agents = workspace.agents.select_related("current_version")
    agent = only(agents.filter(agent_id=agent_id.replace("\x00", "\ufffd")))
    if agent is None:
        raise AgentNotFound("There is no such agent.")
    return agent
