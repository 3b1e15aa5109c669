"""This room's pages in the admin; importing this package registers them."""

from agents.admin import agents, credentials, mcp, memory, skills

__all__ = ["agents", "credentials", "mcp", "memory", "skills"]
