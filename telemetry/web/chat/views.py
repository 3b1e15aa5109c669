"""Talking to an agent in the browser: a session is a page, a message is a durable request like any other."""

import re
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models.functions import Left
from django.http import HttpResponse

from agents.models import Agent
from runtime.accept import accept_request
from runtime.api.requests import checked_key
from runtime.api.serializers import submission_from
from runtime.attachments.sniff import media_type_of
from runtime.errors import AgentNotFound
from runtime.kinds import RequestKind
from runtime.models import AgentRequest
from runtime.steer import VERBS
from telemetry.show.conversation import Conversation, conversations_of
from telemetry.show.figures import size
from telemetry.show.log import find_request
from telemetry.web.links import new_agent_link
from telemetry.web.visit import Visit, screen
from workspaces.errors import MashError
from workspaces.roles import Scope

EXCHANGES = 20
SESSIONS = 30
_DRAWN = re.compile(r"chat-[0-9a-f]{8}")


class UnusableFile(MashError):
    code = "UNUSABLE_FILE"
    status = 422


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message and everything that came of it."""

    agent_request: AgentRequest
    conversation: Conversation
    follows: int | None = None
    """Key of the request that must end before this one begins: until then there is nothing to watch."""


@screen("chat", Scope.AGENTS_RUN)
def chat_home(visit: Visit) -> HttpResponse:
    """The chat with `agent`, else with the primary one, else with the first."""
    wanted = visit.request.GET.get("agent", "")
    agents = list(visit.workspace.agents.offered())
    agents.sort(key=lambda agent: (agent.agent_id != wanted, agent.role != Agent.Role.PRIMARY))
    if agents:
        return visit.go(visit.link("chat-agent", agents[0].agent_id))
    return visit.render("web/chat/no_agent.html", {"new_agent_url": new_agent_link(visit)})


@screen("chat", Scope.AGENTS_RUN, methods=("GET", "POST"))
def chat_agent(visit: Visit, agent_id: str) -> HttpResponse:
    """A new session: its first message names it."""
    if visit.request.method == "POST":
        wanted = visit.request.POST.get("session", "")
        return _send(visit, agent_id, wanted if _DRAWN.fullmatch(wanted) else _new_session_id())
    return _page(visit, agent_id, "")


@screen("chat", Scope.AGENTS_RUN, methods=("GET", "POST"))
def chat_session(visit: Visit, agent_id: str, session_id: str) -> HttpResponse:
    if visit.request.method == "POST":
        return _send(visit, agent_id, session_id)
    return _page(visit, agent_id, session_id)


@screen("chat", Scope.AGENTS_RUN, methods=("POST",))
def chat_stop(visit: Visit, request_id: uuid.UUID) -> HttpResponse:
    """Stops the request and goes back to its session."""
    agent_request = find_request(visit.workspace, request_id)
    VERBS["cancel"].perform(visit.principal, agent_request)
    return visit.go(visit.link("chat-session", agent_request.agent.agent_id, agent_request.session_id))


def _agents(visit: Visit, agent_id: str) -> tuple[Agent, list[Agent]]:
    """The one that is talked to, and all that can be."""
    agents = list(visit.workspace.agents.listed())
    agent = next((each for each in agents if each.agent_id == agent_id), None)
    if agent is None:
        raise AgentNotFound("There is no such agent.")
    return agent, [each for each in agents if each.is_enabled and not each.is_gone]


def _send(visit: Visit, agent_id: str, session_id: str) -> HttpResponse:
    """Accepts the message; what is wrong with it is said beside it, and nothing typed is lost."""
    message = visit.request.POST.get("message", "")
    agent, _ = _agents(visit, agent_id)
    try:
        submission = submission_from({"message": message, "session_id": session_id, "attachments": _attached(visit)})
        # The form's own key: what is sent twice by a slow click is one message.
        accept_request(
            visit.principal, agent, submission, idempotency_key=checked_key(visit.request.POST.get("key", ""))
        )
    except MashError as error:
        return _page(visit, agent_id, session_id, fault=error, typed=message)
    return visit.go(visit.link("chat-session", agent_id, session_id))


def _attached(visit: Visit) -> list[dict[str, Any]]:
    """The chosen files; a fault names the file, which is all that a person knows of it."""
    files: list[UploadedFile[Any]] = visit.request.FILES.getlist("files")
    if len(files) > settings.MASH_MAX_MESSAGE_ATTACHMENTS:
        raise UnusableFile(f"A message takes {settings.MASH_MAX_MESSAGE_ATTACHMENTS} files at most.")
    attached = []
    for file in files:
        if (file.size or 0) > settings.MASH_MAX_ATTACHMENT_BYTES:
            raise UnusableFile(f"{file.name} is larger than {size(settings.MASH_MAX_ATTACHMENT_BYTES)}.")
        content = file.read()
        if media_type_of(content) is None:
            raise UnusableFile(f"{file.name} is neither an image (PNG, JPEG, GIF, WebP) nor a PDF.")
        attached.append({"name": file.name or "", "data": content})
    return attached


def _page(
    visit: Visit, agent_id: str, session_id: str, *, fault: MashError | None = None, typed: str = ""
) -> HttpResponse:
    agent, agents = _agents(visit, agent_id)
    before = visit.request.GET.get("before", "")
    exchanges, earlier = _exchanges(visit, agent, session_id, before)
    context = {
        "agent": agent,
        "agents": agents,
        "session_id": session_id,
        "sessions": _recent_sessions(visit, agent),
        "exchanges": exchanges,
        "earlier": earlier,
        "is_newest": not before,
        "key": secrets.token_hex(8),
        "drawn": session_id or _new_session_id(),
        "under_way": sum(not exchange.agent_request.is_terminal for exchange in exchanges),
        "fault": fault,
        "typed": typed,
        "answers_here": visit.may(Scope.INTERACTIONS_ANSWER),
    }
    return visit.render("web/chat/page.html", context, partials={"transcript"}, status=fault.status if fault else 200)


def _exchanges(visit: Visit, agent: Agent, session_id: str, before: str) -> tuple[list[Exchange], str]:
    """The newest requests of the session, oldest first, and the cursor of those before them."""
    if not session_id:
        return [], ""
    rows = visit.workspace.agent_requests.with_agent().filter(agent=agent, session_id=session_id, kind=RequestKind.TURN)
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.order_by("-pk")[: EXCHANGES + 1])
    shown = found[:EXCHANGES][::-1]
    return _in_turn(shown), str(shown[0].pk) if len(found) > EXCHANGES else ""


def _in_turn(shown: list[AgentRequest]) -> list[Exchange]:
    """A session answers one message after the other, and a browser keeps few streams: each begins when the one before ends."""
    exchanges, before = [], None
    for row, conversation in zip(shown, conversations_of(shown), strict=True):
        exchanges.append(Exchange(row, conversation, before))
        before = before if row.is_terminal else row.pk
    return exchanges


def _recent_sessions(visit: Visit, agent: Agent) -> list[AgentRequest]:
    """The newest request of each recent session with this agent."""
    rows = visit.workspace.agent_requests.filter(agent=agent, kind=RequestKind.TURN, parent=None)
    newest = (
        rows.annotate(preview=Left("message", 120))
        .only("workspace_id", "session_id", "accepted_at")
        .order_by("-pk")[:200]
    )
    seen: dict[str, AgentRequest] = {}
    for row in newest:
        seen.setdefault(row.session_id, row)
    return list(seen.values())[:SESSIONS]


def _new_session_id() -> str:
    return f"chat-{secrets.token_hex(4)}"
