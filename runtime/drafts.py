"""What models have said so far, kept for clients that come late, and gone with the answer (design.md 5)."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import close_old_connections, transaction

from runtime.kinds import TERMINAL_EVENTS, EventKind
from runtime.models import AgentRequest, ResponseDraft
from runtime.news import Delta

logger = logging.getLogger(__name__)

DRAFT_EVERY_S = 0.5
_ENDS = frozenset({EventKind.THINK_COMPLETED, *TERMINAL_EVENTS})
# Requests of this process that may have a draft
_drafted: set[int] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    agent_request: AgentRequest
    head: int
    attempt: int
    loop_index: int
    text: str
    is_current: Callable[[], bool]
    """Whether the model is still speaking."""


def save(drafts: Sequence[Draft]) -> None:
    """Overwrites the drafts of all these requests with one statement; a failure costs late comers a moment, no more."""
    try:
        with transaction.atomic():
            _save(drafts)
    except Exception:  # the top of a thread: whatever it is, the requests go on without their drafts
        logger.warning("Drafts could not be saved", exc_info=True, extra={"action": "drafts.failed"})
    finally:
        close_old_connections()


def _save(drafts: Sequence[Draft]) -> None:
    """While the rows are locked no answer can be stored, so what is current stays so until these drafts are committed."""
    requests = AgentRequest.rows.running().filter(pk__in=[draft.agent_request.pk for draft in drafts])
    attempts = dict(
        requests.select_for_update(of=("self",), no_key=True, skip_locked=True).values_list("pk", "attempt")
    )
    current = [
        draft
        for draft in drafts
        if attempts.get(draft.agent_request.pk) == draft.agent_request.attempt and draft.is_current()
    ]
    _drafted.update(draft.agent_request.pk for draft in current)
    rows = [
        ResponseDraft(
            workspace_id=draft.agent_request.workspace_id,
            agent_request=draft.agent_request,
            head=draft.head,
            attempt=draft.attempt,
            loop_index=draft.loop_index,
            text=draft.text,
        )
        for draft in current
    ]
    ResponseDraft.rows.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["agent_request"],
        update_fields=["head", "attempt", "loop_index", "text"],
    )


def discard_with(agent_request: AgentRequest, event_types: Iterable[str]) -> None:
    """Deletes the draft in the transaction that stores the answer, or the end. Whoever wrote none asks no database."""
    may_exist = agent_request.pk in _drafted or agent_request.attempt > 1
    if may_exist and not _ENDS.isdisjoint(event_types):
        agent_request.workspace.response_drafts.filter(agent_request=agent_request).delete()
        transaction.on_commit(lambda: _drafted.discard(agent_request.pk))


def find_draft(agent_request: AgentRequest) -> Delta | None:
    """All that the model has said so far, as one delta."""
    drafts = agent_request.workspace.response_drafts.filter(agent_request=agent_request)
    for draft in drafts.select_related("agent_request"):
        return Delta(
            request_id=agent_request.request_id,
            trace_id=draft.agent_request.trace_id,
            head=draft.head,
            attempt=draft.attempt,
            loop_index=draft.loop_index,
            offset=0,
            text=draft.text,
        )
    return None
