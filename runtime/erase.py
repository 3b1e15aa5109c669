"""Erases what was said in a session, what its subagents were told and what was taken from it (extensions 4).

Rows of the log stay with an empty payload, so that sequences keep no gap and cursors stay valid. Each batch is a
transaction of its own and may be repeated: an erasure that was interrupted is completed by asking again.
"""

from collections import Counter
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from agents.memory.erase import erase_session as erase_memory
from agents.memory.history import find_session
from agents.models import Agent
from runtime.attachments import store
from runtime.erase_reach import copies, requests_of, sessions_in_reach
from runtime.errors import SessionBusy, SessionNotFound
from runtime.models import AgentRequest, AgentRequestQuerySet, log_of
from workspaces import audit
from workspaces.authenticate import Principal
from workspaces.models import Workspace

ERASED_PAYLOAD = {"erased": True}
_AT_A_TIME = 100


def erase_session(principal: Principal, agent: Agent, session_id: str) -> dict[str, int]:
    """Counts of what was erased, by table. Raises `SessionBusy` while a request of it is unfinished."""
    workspace = principal.workspace
    sessions = sessions_in_reach(workspace, agent, session_id)
    requests = workspace.agent_requests.filter(requests_of(sessions))
    if not requests.exists() and find_session(workspace, agent_id=agent.agent_id, session_id=session_id) is None:
        raise SessionNotFound("There is no such session.")
    for active in requests.unfinished()[:1]:
        details = {"request_id": str(active.request_id)}
        raise SessionBusy("A request of the session, or one that repeats it, has not ended.", details=details)
    counts: Counter[str] = Counter()
    for batch in _batches(requests):
        counts += _erase_requests(workspace, batch)
    for each, own_session in sessions:
        erased = erase_memory(workspace, agent_id=each.agent_id, session_id=own_session)
        counts += Counter({name: getattr(erased, name) for name in erased.__dataclass_fields__})
    # Last: while they are there, an erasure that is asked for again finds what they lead to.
    for copy in copies:
        counts += Counter(copy.erase(workspace, requests))
    tables = {name: counts[name] for name in tables_in_reach()}
    target = f"{agent.agent_id}/{session_id}"
    audit.record(workspace, actor=principal.name, action="session.erased", target=target, details=tables)
    return tables


_TABLES = (
    "sessions",
    "turns",
    "signals",
    "search_entries",
    "requests",
    "events",
    "interactions",
    "drafts",
    "attachments",
)


def tables_in_reach() -> list[str]:
    """Names of what an erasure counts."""
    return [*_TABLES, *(name for copy in copies for name in copy.tables)]


def _batches(requests: AgentRequestQuerySet) -> Iterator[list[int]]:
    last = 0
    while keys := list(requests.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_AT_A_TIME]):
        yield keys
        last = keys[-1]


def _erase_requests(workspace: Workspace, keys: list[int]) -> Counter[str]:
    rows = workspace.agent_requests.filter(pk__in=keys)
    with transaction.atomic():
        # Children first, as everywhere. Nothing may be resumed while its log is emptied.
        locked = rows.select_for_update(no_key=True).order_by("-pk").values_list("request_id", "finished_at")
        for request_id, finished_at in locked:
            if finished_at is None:
                raise SessionBusy("The session has an unfinished request.", details={"request_id": str(request_id)})
        attachments = store.release(rows)
        interactions = workspace.interactions.filter(agent_request__in=keys).delete()[0]
        drafts = workspace.response_drafts.filter(agent_request__in=keys).delete()[0]
        events = log_of(rows).exclude(payload=ERASED_PAYLOAD)
        return Counter(
            attachments=attachments,
            interactions=interactions,
            drafts=drafts,
            events=events.update(payload=ERASED_PAYLOAD),
            requests=_erase_rows(rows),
        )


def _erase_rows(rows: AgentRequestQuerySet) -> int:
    """What remains of a request: who ran, when, how it ended, and what it cost."""
    for row in rows.exclude(error=None).only("pk", "error"):
        rows.filter(pk=row.pk).update(error=_without_text(row))
    return rows.filter(erased_at=None).update(
        message="",
        context="",
        user="",
        metadata={},
        invoke_options=None,
        structured_output=None,
        answer_preview="",
        erased_at=timezone.now(),
    )


def _without_text(row: AgentRequest) -> dict[str, object]:
    return {**(row.error or {}), "error": "Erased."}
