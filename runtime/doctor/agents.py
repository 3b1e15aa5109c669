"""Model providers and agents: whose key is there, and which agents could run now."""

import os
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from agents.build import build_agent
from agents.llm.catalogue import VENDORS, Vendor
from agents.models import Agent
from runtime.doctor.finding import Finding, fail, ok, warn
from workspaces import encryption
from workspaces.encryption import UnreadableSecret
from workspaces.errors import MashError
from workspaces.models import Workspace

_PATIENCE_S = 3.0
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def examine() -> Iterator[Finding]:
    for kind in ("anthropic", "openai"):
        yield from _environment_key(kind, VENDORS[kind])
    if settings.MASH_ALLOWED_PRIVATE_HOSTS:
        yield ok("private hosts", f"workspaces may reach {', '.join(settings.MASH_ALLOWED_PRIVATE_HOSTS)}")
    if settings.MASH_MCP_STDIO_WORKSPACES:
        allowed = ", ".join(settings.MASH_MCP_STDIO_WORKSPACES)
        advice = "Name only workspaces whose admins may run programs as the server's user."
        yield warn("mcp processes", f"workspaces that may start MCP servers here: {allowed}", advice)
    for workspace in Workspace.objects.iterator(chunk_size=100):
        yield from _credentials(workspace)
        yield from _agents(workspace)


def _environment_key(kind: str, vendor: Vendor) -> Iterator[Finding]:
    variable = f"{vendor.variable_prefix}_API_KEY"
    if not vendor.environment_key():
        yield ok(kind, f"{variable} is not set: only workspaces' own credentials reach this vendor")
        return
    url = urlsplit(vendor.environment_url())
    where = f"{variable} is set, for {url.hostname}"
    if any(os.environ.get(name) for name in _PROXIES):
        yield ok(kind, f"{where}, reached through a proxy")
        return
    try:
        port = url.port or (80 if url.scheme == "http" else 443)
        socket.create_connection((url.hostname or "", port), timeout=_PATIENCE_S).close()
    except OSError:
        yield warn(
            kind, f"{where}, which cannot be reached", f"Check the network, or {vendor.variable_prefix}_BASE_URL."
        )
    else:
        yield ok(kind, f"{where}, which can be reached")


def _credentials(workspace: Workspace) -> Iterator[Finding]:
    advice = "Put the key that it was encrypted under back into MASH_ENCRYPTION_KEYS, or enter it anew."
    for credential in workspace.credentials.all():
        try:
            encryption.decrypt(credential.encrypted_key)
        except (UnreadableSecret, ValueError):
            yield fail("credentials", f"{workspace}/{credential.name} cannot be decrypted", advice)
    for server in workspace.mcp_servers.exclude(encrypted_secrets=""):
        try:
            encryption.decrypt(server.encrypted_secrets)
        except (UnreadableSecret, ValueError):
            yield fail("mcp servers", f"the secrets of {workspace}/{server.name} cannot be decrypted", advice)


def _agents(workspace: Workspace) -> Iterator[Finding]:
    enabled = list(workspace.agents.offered().select_related("current_version"))
    if not enabled:
        yield warn("agents", f"{workspace} has none", "Add one in the admin.")
        return
    faults = [finding for agent in enabled if (finding := _fault(workspace, agent))]
    yield from faults
    runnable = len(enabled) - len(faults)
    if runnable:
        yield ok("agents", f"{workspace}: {runnable} of {len(enabled)} can run")
    yield from _missing(workspace)
    on_demo = [agent.agent_id for agent in enabled if agent.definition.provider == "demo"]
    if on_demo:
        advice = "Set ANTHROPIC_API_KEY or OPENAI_API_KEY, or choose a provider in the admin."
        yield warn("agents", f"{workspace}: {', '.join(on_demo)} answer offline (demo provider)", advice)


def _missing(workspace: Workspace) -> Iterator[Finding]:
    if gone := workspace.agents.filter(is_gone=True).values_list("agent_id", flat=True):
        advice = "Set MASH_HOST_APP to the code that defines them, or disable them in the admin."
        yield warn("agents", f"{workspace}: {', '.join(gone)} take no requests, their code is not here", advice)
    if not workspace.agents.offered().filter(role=Agent.Role.PRIMARY).exists():
        yield warn("agents", f"{workspace} has no primary agent", "Make one in the admin.")


def _fault(workspace: Workspace, agent: Agent) -> Finding | None:
    name = f"{workspace}/{agent.agent_id}"
    if agent.current_version is None:
        return fail("agents", f"{name} has no definition", "Save it in the admin.")
    try:
        build_agent(workspace, agent, agent.current_version)
    except MashError as error:
        return fail("agents", f"{name} cannot run: {error}", "Change the agent in the admin, or what it asks for.")
    except Exception as error:  # code of the deployment's own; its text may hold anything
        return fail("agents", f"{name} cannot run: {type(error).__name__} in its code", "Run its code by hand.")
    return None
