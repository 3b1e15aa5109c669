"""Tools that reach the server's machine, for the workspaces that the operator names in the deployment's settings."""

import os
from functools import cache
from pathlib import Path

from django.conf import settings

from agents.tools.base import Tool
from agents.tools.bash.account import BashSettings
from agents.tools.bash.tool import BashTool
from agents.tools.files.tools import file_tools
from workspaces.models import Workspace


def allowed_tools(workspace: Workspace) -> list[Tool]:
    """What this workspace may use of them."""
    tools: list[Tool] = []
    if _is_named(workspace, settings.MASH_BASH_WORKSPACES):
        tools.append(_bash(os.getpid(), bash_settings()))
    if settings.MASH_FILES_ROOT and _is_named(workspace, settings.MASH_FILES_WORKSPACES):
        tools += _file_tools(Path(settings.MASH_FILES_ROOT))
    return tools


def bash_settings() -> BashSettings:
    """A server that runs as root keeps the working directories beside its data, as the other user may not enter that."""
    data = Path(settings.MASH_DATA_DIR)
    default = data.with_name(f"{data.name}-bash") if os.geteuid() == 0 else data / "bash"
    return BashSettings(
        root=Path(settings.MASH_BASH_ROOT).expanduser().resolve() if settings.MASH_BASH_ROOT else default,
        user=settings.MASH_BASH_USER,
        secret=settings.SECRET_KEY,
        hidden=(data,),
        memory_bytes=settings.MASH_BASH_MEMORY_MB * 1024 * 1024,
        network=settings.MASH_BASH_NETWORK,
    )


def _is_named(workspace: Workspace, slugs: list[str]) -> bool:
    return "*" in slugs or workspace.slug in slugs


@cache
def _bash(process_id: int, chosen: BashSettings) -> BashTool:
    """One per process: it finds out how commands can run there."""
    return BashTool(chosen)


@cache
def _file_tools(root: Path) -> list[Tool]:
    return file_tools(root, without=(Path(settings.MASH_DATA_DIR),))
