"""Tools that reach this machine: under which user `bash` runs, whether the folders are there, and what would not end."""

import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from agents.operator_tools import bash_settings
from agents.tools import leftovers
from agents.tools.bash.account import BashUnavailable, account_for, is_reachable
from runtime.doctor.finding import Finding, fail, ok, warn


def examine() -> Iterator[Finding]:
    yield _bash()
    for variable in ("MASH_FILES_ROOT", "MASH_SKILLS_DIR"):
        chosen = getattr(settings, variable)
        if chosen and not Path(chosen).is_dir():
            yield warn("tools", f"{variable} names {chosen}, which is no folder", "Make it, or unset the variable.")
    yield from _unfinished()


def _bash() -> Finding:
    offered = settings.MASH_BASH_WORKSPACES
    if not offered:
        return ok("bash", "offered to no workspace")
    chosen = bash_settings()
    try:
        account = account_for(chosen)
    except BashUnavailable as error:
        return fail("bash", str(error), "Change MASH_BASH_USER or MASH_BASH_NETWORK, or offer it to no workspace.")
    where = f"offered to {', '.join(offered)}"
    if not account.is_separate:
        advice = "Trusted, single-workspace use only: it can read the data directory and the server's environment."
        return warn("bash", f"{where}, and runs as the server's own user", advice)
    if not is_reachable(chosen.root, account):
        advice = "Set MASH_BASH_ROOT to a folder that every user may pass through to."
        return fail("bash", f"{chosen.user} may not enter {chosen.root}", advice)
    if not account.has_walls:
        advice = "Its workspaces share that user: name several only if they may see each other's files."
        return warn("bash", f"{where}, as {chosen.user}, without namespaces of its own", advice)
    return ok("bash", f"{where}, as {chosen.user}, in namespaces of its own")


def _unfinished() -> Iterator[Finding]:
    for leftover in leftovers.running_on_this_machine(leftovers.directory_in(Path(settings.MASH_DATA_DIR))):
        text = f"{leftover.name} has run on for {time.time() - leftover.since:.0f} s after it was told to end"
        advice = f"Restart the worker (process {leftover.process_id}), and let the tool run_in_process."
        yield warn("tools", text, advice)
