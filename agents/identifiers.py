"""Identifiers that are computed, not drawn (contract 1.2)."""

import hashlib


def subagent_session_id(primary_agent_id: str, primary_session_id: str, subagent_id: str) -> str:
    """The one session in which a subagent serves a session of the primary agent."""
    seed = f"{primary_agent_id}:{primary_session_id}:{subagent_id}"
    return f"subagent:{subagent_id}:{hashlib.sha256(seed.encode()).hexdigest()[:24]}"
