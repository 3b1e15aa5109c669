"""The pilot host, as `MASH_HOST_APP=examples.pilot.spec:build_host`."""

import os
from pathlib import Path

from django.conf import settings
from typing_extensions import override

from agents.host import HostBuilder
from agents.llm import LLMProvider, create_provider
from agents.spec import AgentConfig, AgentSpec
from agents.starter import starter_provider
from agents.tools.ask_user import AskUserTool
from agents.tools.base import Tool
from agents.tools.files.tools import file_tools
from agents.tools.registry import ToolRegistry
from examples.pilot.notes import notes_tool
from examples.pilot.offline import OfflineGuide
from examples.pilot.rooms import ROOMS, Room

PILOT = "pilot"
_PROMPT = """You are the pilot: you guide developers through the code base of Mash, a platform that runs LLM agents durably.

The rooms, each allowed to import only those after it: mashsite/ (settings, URLs), telemetry/ (what the log shows),
workflows/, runtime/ (running requests), agents/ (what an agent is), workspaces/ (tenants, members, tokens).
docs/architecture.md tells how they hang together, docs/tools.md how tools are written, docs/first-agent.md how to begin.

- A question about the inside of runtime, agents, telemetry or workflows goes to that room's copilot; one about several
  rooms goes to several copilots in the same step, and you join their answers.
- Look up everything else yourself with your file tools, which begin at the root of the code base.
- Never answer from memory what a file can tell. Name the files, so that the developer can open them.
- Use AskUser only when the question could mean two quite different things.
- Offer write_note when an answer is worth keeping; write it only when the developer wants that.

Answer in the developer's language, briefly, the answer first."""


class PilotSpec(AgentSpec):
    """The primary agent: it sees the whole root, and may write notes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @override
    def get_agent_id(self) -> str:
        return PILOT

    @override
    def build_tools(self) -> ToolRegistry:
        return ToolRegistry([*_reading(self._root), AskUserTool(), notes_tool()])

    @override
    def build_llm(self) -> LLMProvider:
        return _provider()

    @override
    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(app_id=PILOT, system_prompt=_PROMPT)


class CopilotSpec(AgentSpec):
    """One room's copilot: its file tools begin in the room's folder and do not leave it."""

    def __init__(self, room: Room, root: Path) -> None:
        self._room = room
        self._root = root / room.name

    @override
    def get_agent_id(self) -> str:
        return self._room.agent_id

    @override
    def build_tools(self) -> ToolRegistry:
        return ToolRegistry(_reading(self._root))

    @override
    def build_llm(self) -> LLMProvider:
        return _provider()

    @override
    def build_agent_config(self) -> AgentConfig:
        return AgentConfig(app_id=self._room.agent_id, system_prompt=self._room.prompt, max_steps=15)


def build_host() -> HostBuilder:
    root = workspace_root()
    host = HostBuilder().primary(PilotSpec(root))
    for room in ROOMS:
        host.subagent(CopilotSpec(room, root), metadata=room.metadata)
    return host


def workspace_root() -> Path:
    """The code base to guide through; a `ValueError` when it is not a folder."""
    root = Path(os.environ.get("MASH_PILOT_ROOT", "").strip() or settings.BASE_DIR).expanduser().resolve()
    if not root.is_dir():
        raise ValueError(f"MASH_PILOT_ROOT must be a folder; {root} is none.")
    return root


def _reading(root: Path) -> list[Tool]:
    """The data directory holds keys and other workspaces' rows, and may well lie below the root."""
    return file_tools(root, without=[Path(settings.MASH_DATA_DIR)])


def _provider() -> LLMProvider:
    kind = starter_provider()
    return OfflineGuide() if kind == "demo" else create_provider(kind)
