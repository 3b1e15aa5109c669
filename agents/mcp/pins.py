"""Keeps each tool as it was when somebody last could see it: a description that changes later is not slipped to the model."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from agents.mcp.models import McpPin, McpServer
from agents.mcp.remote_tool import RemoteTool
from agents.versions import definition_yaml
from workspaces import audit
from workspaces.errors import MashError

_MOST_PINS = 512


class ProposalGone(MashError):
    """What was approved is not what the server offers now."""

    code = "MCP_PROPOSAL_GONE"
    status = 409


@dataclass(frozen=True, slots=True)
class Offer:
    tools: tuple[RemoteTool, ...]
    withheld: tuple[str, ...]
    """Names of tools that await approval."""


def compare_with_pins(server: McpServer, found: Sequence[RemoteTool]) -> Offer:
    """What of the listing may be offered. New tools are pinned, changed ones noted for an admin."""
    pins = {pin.name: pin for pin in server.pins.all()}
    if new := [tool for tool in found if tool.name not in pins]:
        _pin(server, new[: max(0, _MOST_PINS - len(pins))], is_first_sight=not pins)
        # Another worker may have seen something else first; what stands in the database holds for all.
        pins = {pin.name: pin for pin in server.pins.all()}
    offered = [tool for tool in found if tool.name in pins and _is_offered(server, pins[tool.name], tool)]
    names = {tool.name for tool in offered}
    return Offer(tuple(offered), tuple(tool.name for tool in found if tool.name not in names))


def pinned(server: McpServer) -> list[RemoteTool]:
    """What the server offered when it was last asked, as far as it is approved."""
    pins = server.pins.filter(is_approved=True, proposed_digest="")
    return [RemoteTool(pin.name, pin.definition) for pin in pins]


def approve(pin: McpPin, *, digest: str, actor: str) -> None:
    """Offers the tool as the admin saw it: `digest` is of what the page showed."""
    workspace, now = pin.server.workspace, timezone.now()
    shown = pin.proposed_digest or pin.digest
    with transaction.atomic():
        same = pin.server.pins.filter(pk=pin.pk, digest=pin.digest, proposed_digest=pin.proposed_digest)
        values = {
            "is_approved": True,
            "approved_at": now,
            "approved_by": actor,
            "proposed_digest": "",
            "proposed": None,
        }
        if pin.proposed is not None:
            values |= {"definition": pin.proposed, "digest": pin.proposed_digest}
        if shown != digest or not same.update(**values):
            raise ProposalGone("The tool has changed again meanwhile; look at it once more.")
        details = {"tool": pin.name, "digest": digest}
        audit.record(workspace, actor=actor, action="mcp_tool.approved", target=pin.server.name, details=details)


def difference(pin: McpPin) -> list[str]:
    """What approving would change, as lines of a unified diff in YAML; the whole tool when it was never approved."""
    before = definition_yaml(pin.definition) if pin.is_approved else ""
    after = definition_yaml(pin.proposed if pin.proposed is not None else pin.definition)
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    return list(lines)[2:]


def _is_offered(server: McpServer, pin: McpPin, tool: RemoteTool) -> bool:
    is_same = pin.digest == tool.digest
    proposed = "" if is_same else tool.digest
    if pin.proposed_digest != proposed:
        definition = None if is_same else tool.definition
        server.pins.filter(pk=pin.pk, digest=pin.digest).update(proposed=definition, proposed_digest=proposed)
    return is_same and pin.is_approved


def _pin(server: McpServer, tools: Iterable[RemoteTool], *, is_first_sight: bool) -> None:
    now = timezone.now()
    is_approved = is_first_sight or not server.new_tools_need_approval
    pins = [
        McpPin(
            server=server,
            name=tool.name,
            definition=tool.definition,
            digest=tool.digest,
            is_approved=is_approved,
            first_seen_at=now,
        )
        for tool in tools
    ]
    server.pins.bulk_create(pins, ignore_conflicts=True)
