"""The Python clients of a Mash deployment; they need no Django."""

from runtime.client.agent_client import AgentClient, AgentClientError
from runtime.client.errors import MashHostClientError
from runtime.client.events import RequestEvent
from runtime.client.host import MashClient

__all__ = ["AgentClient", "AgentClientError", "MashClient", "MashHostClientError", "RequestEvent"]
