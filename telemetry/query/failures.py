"""What goes wrong again and again: failures whose error says the same but for its ids and numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.db.models import F
from django.db.models.fields.json import KT
from django.db.models.functions import Left

from runtime.kinds import Status
from telemetry.query.requests import RequestFilter
from workspaces.models import Workspace

MOST_READ = 2000
# From the most particular to the least: ids, what is quoted, numbers.
_VARYING = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b | \b(?=[a-z_]*\d)[a-z0-9]+_[a-z0-9]{5,}\b | \b(?=\w*\d)[0-9a-f]{7,}\b"
    r" | \"[^\"]{1,80}\" | '[^']{1,80}' | \d+(?:[.,:]\d+)*",
    re.IGNORECASE | re.VERBOSE,
)
_TEXT_LENGTH = 500
_CODE, _TEXT = KT("error__error_code"), Left(KT("error__error"), _TEXT_LENGTH)


@dataclass(slots=True, kw_only=True)
class Failure:
    """Requests of one agent that failed in the same way; text, time and id are the newest one's."""

    agent: str
    code: str
    text: str
    last_at: datetime
    request_id: UUID
    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    kinds: Sequence[Failure]
    """Most frequent first."""
    is_capped: bool
    """There were more failures than are read; these are the newest."""


def failures(workspace: Workspace, which: RequestFilter, *, most: int) -> Failures:
    rows = (
        which.apply(workspace)
        .fallen()
        .filter(status=Status.FAILED)
        .order_by("-pk")
        .values_list(F("agent__agent_id"), _CODE, _TEXT, "accepted_at", "request_id")[: MOST_READ + 1]
    )
    kinds: dict[tuple[str, str, str], Failure] = {}
    found = list(rows)
    for agent, known_code, known_text, accepted_at, request_id in found[:MOST_READ]:
        code, text = known_code or "error", known_text or ""
        key = (agent, code, fingerprint(text))
        if key in kinds:
            kinds[key].requests += 1
        else:
            kinds[key] = Failure(agent=agent, code=code, text=text, last_at=accepted_at, request_id=request_id)
    frequent = sorted(kinds.values(), key=lambda kind: -kind.requests)
    return Failures(kinds=frequent[:most], is_capped=len(found) > MOST_READ)


@lru_cache(maxsize=1000)
def fingerprint(text: str) -> str:
    """The text without what differs from one time to the next."""
    return " ".join(_VARYING.sub("…", text).split())
