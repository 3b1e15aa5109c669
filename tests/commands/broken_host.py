"""A host whose own code is at fault."""

from agents.host import AgentHost


def build_host() -> AgentHost:
    raise LookupError("There is no such model.")
