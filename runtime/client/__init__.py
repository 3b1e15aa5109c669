"""The Python client of a Mash deployment; it needs no Django."""

from runtime.client.agent_client import AgentClient, AgentClientError, MashAgentClient
from runtime.client.errors import MashHostClientError
from runtime.client.events import RequestEvent
from runtime.client.host import MashClient

__all__ = ["AgentClient", "AgentClientError", "MashAgentClient", "MashClient", "MashHostClientError", "RequestEvent"]
