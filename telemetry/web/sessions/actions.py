"""What may be done with a session: fork it, sum it up, erase it; each is what the API does under the same scope."""

import uuid

from django.contrib import messages
from django.http import HttpResponse

from runtime.erase import erase_session
from runtime.fork import fork_session
from runtime.request_compaction import request_compaction
from telemetry.query.transcript_entry import Subject
from telemetry.web.visit import Visit
from workspaces.api.envelope import InvalidRequest
from workspaces.roles import Scope

MAX_SESSION_ID = 255


def act(visit: Visit, subject: Subject) -> HttpResponse:
    visit.principal.require(Scope.SESSIONS_WRITE)
    actions = {"fork": _fork, "compact": _compact, "erase": _erase}
    action = actions.get(visit.request.POST.get("action", ""))
    if action is None:
        raise InvalidRequest(f"Say what to do: {', '.join(actions)}.", details={"param": "action"})
    return action(visit, subject)


def _fork(visit: Visit, subject: Subject) -> HttpResponse:
    fork = fork_session(
        visit.principal,
        subject.agent,
        subject.session_id,
        after_turn_id=_turn_id(visit.request.POST.get("after_turn_id", "")),
        fork_id=_session_id(visit.request.POST.get("session_id", "")),
    )
    messages.success(
        visit.request, f"A new session with a copy of {fork.turn_count} turns; the first one stays as it is."
    )
    return visit.go(visit.link("session", subject.agent.agent_id, fork.session_id))


def _compact(visit: Visit, subject: Subject) -> HttpResponse:
    request_compaction(visit.principal, subject.agent, subject.session_id)
    messages.success(visit.request, "The session is summed up after the requests that wait in it.")
    return visit.go(visit.link("session", subject.agent.agent_id, subject.session_id))


def _erase(visit: Visit, subject: Subject) -> HttpResponse:
    erased = erase_session(visit.principal, subject.agent, subject.session_id)
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in erased.items() if count)
    messages.success(visit.request, f"Erased: {told or 'nothing that was left'}.")
    return visit.go(visit.link("sessions"))


def _turn_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError as error:
        raise InvalidRequest("after_turn_id is no turn's id.", details={"param": "after_turn_id"}) from error


def _session_id(text: str) -> str:
    """As the API cleans ids; a new one where none is given."""
    cleaned = text.strip().replace("\x00", "\ufffd")
    if len(cleaned) > MAX_SESSION_ID:
        raise InvalidRequest(
            f"A session's id has at most {MAX_SESSION_ID} characters.", details={"param": "session_id"}
        )
    return cleaned or str(uuid.uuid4())
