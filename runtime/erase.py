"""Erases what was said in a session, and what its subagents were told: memory, requests and the log (extensions 4).

Rows of the log stay with an empty payload, so that sequences keep no gap and cursors stay valid. Each batch is a
transaction of its own and may be repeated: an erasure that was interrupted is completed by asking again.
"""

from collections import Counter
from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agents.memory.erase import erase_session as erase_memory
from agents.memory.history import find_session
from agents.models import Agent
from runtime.attachments import store
from runtime.errors import SessionBusy, SessionNotFound
from runtime.models import AgentRequest, AgentRequestQuerySet
from workspaces import audit
from workspaces.authenticate import Principal
from workspaces.models import Workspace

ERASED_PAYLOAD = {"erased": True}
_AT_A_TIME = 100


def erase_session(principal: Principal, agent: Agent, session_id: str) -> dict[str, int]:
    """Counts of what was erased, by table. Raises `SessionBusy` while a request of it is unfinished."""
    workspace = principal.workspace
    sessions = with_subagents(workspace, (agent, session_id))
    requests = workspace.agent_requests.filter(requests_of(sessions))
    if not requests.exists() and find_session(workspace, agent_id=agent.agent_id, session_id=session_id) is None:
        raise SessionNotFound("There is no such session.")
    for active in requests.unfinished()[:1]:
        details = {"request_id": str(active.request_id)}
        raise SessionBusy("The session has an unfinished request.", details=details)
    counts: Counter[str] = Counter()
    for batch in _batches(requests):
        counts += _erase_requests(workspace, batch)
    for each, own_session in sessions:
        erased = erase_memory(workspace, agent_id=each.agent_id, session_id=own_session)
        counts += Counter({name: getattr(erased, name) for name in erased.__dataclass_fields__})
    tables = {name: counts[name] for name in TABLES}
    target = f"{agent.agent_id}/{session_id}"
    audit.record(workspace, actor=principal.name, action="session.erased", target=target, details=tables)
    return tables


TABLES = (
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


def with_subagents(workspace: Workspace, first: tuple[Agent, str]) -> list[tuple[Agent, str]]:
    """The session and those in which subagents served it, at any depth."""
    found, todo = [first], [first]
    while todo:
        agent, session_id = todo.pop()
        children = workspace.agent_requests.filter(parent__agent=agent, parent__session_id=session_id)
        pairs = {(child.agent, child.session_id) for child in children.select_related("agent")}
        fresh = [pair for pair in pairs if pair not in found]
        found += fresh
        todo += fresh
    return found


def requests_of(sessions: list[tuple[Agent, str]]) -> Q:
    condition = Q()
    for agent, session_id in sessions:
        condition |= Q(agent=agent, session_id=session_id)
    return condition


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
        events = workspace.events.filter(agent_request__in=keys).exclude(payload=ERASED_PAYLOAD)
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
