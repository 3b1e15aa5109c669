"""Who holds a request, and until when. Expiry is judged by the database's clock, so workers' clocks may differ."""

import os
import socket
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models.functions import Now

from runtime.models import AgentRequest


def new_owner() -> str:
    """This process: machine, boot, pid namespace, pid and start time, so that a reused pid is not mistaken for it."""
    return f"{_machine()}:{os.getpid()}:{_start_time(os.getpid())}"


def is_dead(owner: str) -> bool:
    """Whether the owner is surely gone. Only of this very machine can that be said; of others, expiry decides."""
    machine, _, process = owner.rpartition(":")[0].rpartition(":")
    if machine != _machine():
        return False
    return _start_time(int(process)) != owner.rpartition(":")[2]


def terms() -> dict[str, object]:
    """The columns of a fresh lease."""
    seconds = settings.MASH_LEASE_SECONDS
    return {"lease_seconds": seconds, "lease_expires_at": Now() + timedelta(seconds=seconds)}


def renew(owner: str, request_pks: Iterable[int]) -> int:
    """Extends the owner's leases, and returns how many it still holds."""
    return AgentRequest.rows.running().filter(pk__in=list(request_pks), lease_owner=owner).update(**terms())


def give_up(agent_request: AgentRequest, attempt: int) -> None:
    """Lets another worker go on at once; a lease given up is not a lease lost."""
    AgentRequest.rows.running().filter(pk=agent_request.pk, attempt=attempt).update(
        lease_owner="", lease_expires_at=Now()
    )


@cache
def _machine() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id")
    boot_id = boot.read_text().strip() if boot.exists() else socket.gethostname()
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = "-"
    return f"{boot_id}:{namespace}"


def _start_time(process: int) -> str:
    """Clock ticks from boot to the start of the process; empty when there is no such process."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    is_zombie = fields[0] == "Z"
    return "" if is_zombie else fields[19]
