"""One exchange of a chat while it happens: parts as they come, and the words while the model says them."""

from django.template.loader import render_to_string
from django.utils.html import escape
from typing_extensions import override

from runtime.models import AgentRequest
from runtime.sse import Receive, Scope, Send
from runtime.stream import cursor_of
from telemetry.live.door import Viewer
from telemetry.live.following import Follower, follow_request
from telemetry.live.frames import part
from telemetry.show.conversation import SAID, WHOLE, Conversation, fold_conversation
from telemetry.show.log import LogLine
from telemetry.show.markdown import markdown
from telemetry.show.speech import Speech
from telemetry.web.conversation import changed_parts
from workspaces.roles import Scope as AccessScope


async def exchange_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/chat/requests/<id>/stream?after=<sequence>`"""
    await follow_request(scope, receive, send, _open, AccessScope.AGENTS_RUN)


def _open(viewer: Viewer, agent_request: AgentRequest) -> "ExchangeFollower":
    cursor = min(cursor_of(viewer.request, "after") or 0, agent_request.last_sequence)
    return ExchangeFollower(viewer, agent_request, cursor)


class ExchangeFollower(Follower):
    kinds = SAID
    whole_below = WHOLE

    def __init__(self, viewer: Viewer, agent_request: AgentRequest, cursor: int) -> None:
        self.conversation = Conversation()
        self.speech = Speech()
        super().__init__(viewer, agent_request, cursor)
        self.shown = self.conversation.looks()

    @override
    def fold(self, line: LogLine) -> None:
        fold_conversation(self.conversation, line)

    @override
    def render(self, before: int) -> list[str]:
        context = {
            "agent_request": self.agent_request,
            "slug": self.viewer.principal.workspace.slug,
            "answers_here": AccessScope.INTERACTIONS_ANSWER in self.viewer.principal.scopes,
        }
        place = f"#exchange-{self.agent_request.pk}"
        changed, self.shown = changed_parts(self.conversation, self.shown, context, f"{place} .exchange-parts")
        foot = render_to_string("web/chat/_foot.html", context)
        parts = [*changed, part(foot, target=f"{place} .exchange-foot", swap="outerMorph")]
        if self.agent_request.is_terminal:
            under_way = self.viewer.principal.workspace.agent_requests.in_session_of(self.agent_request).unfinished()
            html = render_to_string("web/chat/_under_way.html", {"under_way": under_way.count()})
            parts.append(part(html, target="#under-way", swap="outerMorph"))
        return parts

    @override
    def said(self, text: str, *, is_first: bool) -> str:
        place = f"#exchange-{self.agent_request.pk} .saying"
        if is_first:
            self.speech.begin()
        told = self.speech.take(text)
        blocks, tail = markdown(told.blocks), escape(told.tail)
        if is_first:
            html = f'<div class="prose" dir="auto">{blocks}</div><p class="tail" dir="auto">{tail}</p>' if text else ""
            return part(html, target=place, swap="innerHTML swapEmpty:true")
        finished = [part(blocks, target=f"{place} .prose", swap="beforeend")] if told.blocks else []
        swap = "innerHTML swapEmpty:true" if told.is_whole_tail else "beforeend"
        return "".join([*finished, part(tail, target=f"{place} .tail", swap=swap)])
