"""A session as it went: its turns, and in their places in time the requests that have left none (web-ui 3.4).

Turns are memory's and requests the runtime's, which may be two databases: each is asked for its part, and they are matched here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Left, Length

from agents.memory.models import Turn
from runtime.compact import summary_turn_id
from runtime.kinds import Status
from runtime.models import AgentRequest
from telemetry.query.transcript_entry import Entry, Subject

SLICE = 20
MOST_WITHOUT_TURN = 50
MOST_CHILDREN = 200
SHOWN_CHARACTERS = 8_000
"""Of one message; the whole of it is on the request's page."""
_LONG = ("context", "metadata", "limits", "structured_output")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    entries: Sequence[Entry]
    earlier: int | None
    """Key of a turn: the slice before this one ends before it."""
    has_more_without_turn: bool
    """Of requests without a turn only the newest are there."""


def read_transcript(subject: Subject, *, before: int | None = None) -> Transcript:
    """One slice, oldest first: the newest turns, or those before a turn."""
    turns, until = _slice(subject, before)
    shown, since = turns[:SLICE], turns[SLICE].created_at if len(turns) > SLICE else None
    # Completed ones have a turn until that is erased.
    without_turn = subject.requests.filter(~Q(status=Status.COMPLETED) | Q(erased_at__isnull=False))
    if since:
        without_turn = without_turn.filter(accepted_at__gt=since)
    if until:
        without_turn = without_turn.filter(accepted_at__lte=until)
    newest = without_turn.order_by("-pk").values("pk")[: MOST_WITHOUT_TURN + 1]
    requests = _requests(subject, Q(trace_id__in=[_trace_id(turn) for turn in shown]) | Q(pk__in=newest))
    entries = _entries(subject, shown[::-1], requests)
    return Transcript(
        entries=entries,
        earlier=shown[-1].pk if since else None,
        has_more_without_turn=sum(entry.turn is None for entry in entries) > MOST_WITHOUT_TURN,
    )


def read_entries(subject: Subject, request_pks: Iterable[int]) -> list[Entry]:
    """What these requests are in the transcript; those of other sessions are nothing."""
    requests = _requests(subject, Q(pk__in=request_pks, agent=subject.agent, session_id=subject.session_id))
    if not requests or subject.session is None:
        return _entries(subject, [], requests) if requests else []
    turn_ids = [turn_id for each in requests for turn_id in (each.trace_id, summary_turn_id(each)) if turn_id]
    turns = _cut(subject.session.turns.filter(turn_id__in=turn_ids)).order_by("pk")
    return _entries(subject, turns, requests)


def _slice(subject: Subject, before: int | None) -> tuple[list[Turn], datetime | None]:
    """Newest first with one more than is shown; and when the newest of it ended, if later ones follow."""
    if subject.session is None:
        return [], None
    turns = subject.session.turns.all()
    if before is not None:
        turns = turns.filter(pk__lt=before)
    found = list(_cut(turns).order_by("-pk")[: SLICE + 1])
    return found, found[0].created_at if found and before is not None else None


def _cut(turns: "QuerySet[Turn]") -> "QuerySet[Turn]":
    return turns.defer("user_message", "agent_response").annotate(
        question=Left("user_message", SHOWN_CHARACTERS),
        question_length=Length("user_message"),
        answer=Left("agent_response", SHOWN_CHARACTERS),
        answer_length=Length("agent_response"),
    )


def _requests(subject: Subject, which: Q) -> list[AgentRequest]:
    rows = subject.workspace.agent_requests.filter(which).defer("message", *_LONG).select_related("parent__agent")
    names = {"agent_name": F("agent__agent_id"), "question": Left("message", SHOWN_CHARACTERS)}
    empty = Value("", output_field=CharField())
    return list(rows.annotate(**names, question_length=Length("message"), answer=empty).order_by("pk"))


def _entries(subject: Subject, turns: Iterable[Turn], requests: Sequence[AgentRequest]) -> list[Entry]:
    """From turns and requests, each oldest first."""
    children = _children(subject, requests)
    by_turn = {str(summary_turn_id(each)): each for each in requests} | {str(each.trace_id): each for each in requests}
    entries, told = [], set()
    for turn in turns:
        agent_request = by_turn.get(_trace_id(turn))
        is_own = agent_request is not None and _is_of(subject, agent_request)
        entry = Entry(turn=turn, agent_request=agent_request, is_own=is_own)
        if agent_request and is_own and not entry.is_aside:
            told.add(agent_request.pk)
            entry = replace(entry, children=children[agent_request.pk])
        entries.append(entry)
    alone = [each for each in requests if each.pk not in told and _is_of(subject, each)]
    entries += [Entry(agent_request=each, children=children[each.pk]) for each in alone]
    return sorted(entries, key=lambda entry: entry.sort)


def _trace_id(turn: Turn) -> str:
    """Of a fork's copy that of the first session's request."""
    return str(turn.metadata.get("trace_id") or turn.turn_id)


def _is_of(subject: Subject, agent_request: AgentRequest) -> bool:
    return (agent_request.agent_id, agent_request.session_id) == (subject.agent.pk, subject.session_id)


def _children(subject: Subject, requests: Sequence[AgentRequest]) -> dict[int, list[AgentRequest]]:
    """What subagents did for these requests."""
    found: dict[int, list[AgentRequest]] = defaultdict(list)
    rows = subject.workspace.agent_requests.filter(parent__isnull=False, parent__in=[each.pk for each in requests])
    rows = rows.defer("message", "attachments", *_LONG).annotate(agent_name=F("agent__agent_id"))
    # In the order of the index on children, else SQLite walks the workspace's requests.
    for child in sorted(rows.order_by("parent_id", "parent_call")[:MOST_CHILDREN], key=lambda child: child.pk):
        found[child.parent_id or 0].append(child)
    return found
