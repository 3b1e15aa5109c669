"""One session: its transcript, slice by slice, and what may be done with it (web-ui 3.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from runtime.erase_preview import preview_erasure
from runtime.errors import SessionNotFound
from telemetry.query.newest import newest_event
from telemetry.query.session_figures import Figures, figures_of
from telemetry.query.transcript import read_transcript
from telemetry.query.transcript_entry import Entry, Subject
from telemetry.web.sessions.actions import act
from telemetry.web.sessions.subject import find_subject
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What the bars of a session's size are drawn against."""

    full: int
    compacts_at: int
    """0: never by itself."""


@screen("sessions", Scope.SESSIONS_READ, methods=("GET", "POST"))
def session_page(visit: Visit, agent_id: str, session_id: str) -> HttpResponse:
    parameters = visit.request.GET
    before = _key(parameters.get("before", ""))
    is_slice = visit.target == "earlier"
    # Read before everything else, as the stream begins there; earlier turns have none.
    newest = 0 if is_slice or before is not None else newest_event(visit.workspace)
    subject = find_subject(visit.workspace, agent_id, session_id)
    if visit.request.method == "POST":
        return act(visit, subject)
    if parameters.get("confirm") == "erase":
        return _confirm_erasure(visit, subject)
    transcript = read_transcript(subject, before=before)
    context = {
        **told_of(subject, Figures() if is_slice and subject.session else known_figures(subject), transcript.entries),
        "transcript": transcript,
        "before": before,
        "cursor": newest,
        "is_live": before is None,
        "may_write": visit.may(Scope.SESSIONS_WRITE),
        "may_run": visit.may(Scope.AGENTS_RUN),
        "asked_by": _asked_by(transcript.entries),
        "is_erased": subject.session is None and _has_erased(transcript.entries),
    }
    return visit.render("web/sessions/session.html", context, partials={"earlier"})


def _has_erased(entries: Sequence[Entry]) -> bool:
    return any(entry.agent_request and entry.agent_request.erased_at for entry in entries)


def told_of(subject: Subject, figures: Figures, entries: Sequence[Entry]) -> dict[str, Any]:
    """What the facts and the entries of a session are rendered with, on the page and in its stream."""
    total = subject.session.total_tokens if subject.session else 0
    compacts_at = subject.agent.definition.compaction_token_threshold
    sizes = [entry.turn.session_total_tokens for entry in entries if entry.turn]
    measure = Measure(full=max(1, total, compacts_at, *sizes), compacts_at=compacts_at)
    return {"subject": subject, "figures": figures, "measure": measure}


def known_figures(subject: Subject) -> Figures:
    """`SessionNotFound` where neither memory nor a request knows the session."""
    pair = (subject.agent.agent_id, subject.session_id)
    figures = figures_of(subject.workspace, [pair]).get(pair, Figures())
    if subject.session is None and not figures.requests:
        raise SessionNotFound("There is no such session.")
    return figures


def _confirm_erasure(visit: Visit, subject: Subject) -> HttpResponse:
    figures = known_figures(subject)
    visit.principal.require(Scope.SESSIONS_WRITE)
    preview = preview_erasure(visit.workspace, subject.agent, subject.session_id)
    return visit.render("web/sessions/erase.html", {"subject": subject, "preview": preview, "figures": figures})


def _asked_by(entries: Sequence[Entry]) -> tuple[str, str] | None:
    """Agent and session that this one serves, if it is a subagent's."""
    for entry in reversed(entries):
        if entry.turn and (session_id := entry.turn.metadata.get("primary_session_id")):
            return str(entry.turn.metadata.get("primary_app_id", "")), str(session_id)
        if entry.agent_request and entry.is_own and (parent := entry.agent_request.parent):
            return parent.agent.agent_id, parent.session_id
    return None


def _key(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
