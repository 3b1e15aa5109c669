"""A request's page while the request runs: the difference between the log that the browser has and the log as it is."""

from collections.abc import Iterator

from django.template.loader import render_to_string
from django.utils.html import escape
from typing_extensions import override

from runtime.models import AgentRequest
from runtime.sse import KEEP_ALIVE, Receive, Scope, Send
from runtime.steer import offered_verbs
from runtime.stream import cursor_of
from telemetry.live.door import Viewer
from telemetry.live.following import Follower, follow_request
from telemetry.live.frames import frame, part
from telemetry.show.conversation import SAID, WHOLE, Conversation, fold_conversation
from telemetry.show.log import LogLine
from telemetry.show.span_events import FOLDED, fold_event
from telemetry.show.spans import Trace
from telemetry.web.conversation import changed_parts
from telemetry.web.trace.choice import chosen
from telemetry.web.trace.events import read_events
from telemetry.web.trace.page import Row, TracePage, read_page
from telemetry.web.trace.row_html import RowWriter, row_writer
from workspaces.roles import Scope as AccessScope


async def request_page_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/requests/<id>/stream`, with the page's parameters and `after`, the sequence that it was made at."""
    await follow_request(scope, receive, send, _open)


def _open(viewer: Viewer, agent_request: AgentRequest) -> "PageFollower":
    cursor = min(cursor_of(viewer.request, "after") or 0, agent_request.last_sequence)
    return PageFollower(viewer, agent_request, cursor)


class PageFollower(Follower):
    kinds = FOLDED

    def __init__(self, viewer: Viewer, agent_request: AgentRequest, cursor: int) -> None:
        self.view = viewer.request.GET.get("view", "waterfall")
        self.trace = Trace()
        self.conversation = Conversation()
        if self.view == "conversation":
            self.kinds, self.whole_below = tuple({*FOLDED, *SAID}), WHOLE
        super().__init__(viewer, agent_request, cursor)
        page = read_page(agent_request, self.trace)
        self.lane_s = page.axis.seconds
        self.looks = {row.span.key: row.span.look for row in chosen(page, viewer.request.GET.dict())}
        self.parts_shown = self.conversation.looks()

    @override
    def fold(self, line: LogLine) -> None:
        fold_event(self.trace, line)
        fold_conversation(self.conversation, line)

    @override
    def render(self, before: int) -> list[str]:
        page = read_page(self.agent_request, self.trace)
        parts = [self._header(page), self._questions()]
        if self.view == "events":
            return [*parts, *self._new_events(before)]
        if self.view == "conversation":
            changed, self.parts_shown = changed_parts(self.conversation, self.parts_shown, self._context(), "#parts")
            return [*parts, *changed]
        return [*parts, *self._rows(page)]

    @override
    def said(self, text: str, *, is_first: bool) -> str:
        if is_first:
            html = render_to_string("web/trace/_live_text.html", {"live_text": text})
            return part(html, target="#live-text", swap="outerHTML")
        return part(escape(text), target="#live-words", swap="beforeend")

    @override
    def tick(self) -> bytes:
        """What goes on is a second longer."""
        if self.view not in {"waterfall", "tree"}:
            return KEEP_ALIVE
        page = read_page(self.agent_request, self.trace)
        if abs(page.axis.seconds - self.lane_s) > 1e-6:
            return frame(self._rows(page))
        rows = [row for row in page.table if row.span.ended is None and row.span.key in self.looks]
        return frame(self._row(row, is_new=False) for row in rows)

    def _rows(self, page: TracePage) -> Iterator[str]:
        """Changed rows in place, new ones at the end; all of them when the lane's scale has changed."""
        rows = chosen(page, self.viewer.request.GET.dict())
        is_rescaled = abs(page.axis.seconds - self.lane_s) > 1e-6
        self.lane_s = page.axis.seconds
        if is_rescaled:
            self.looks = {row.span.key: row.span.look for row in rows}
            yield part(
                self._template("_rows", page=page, rows=rows, table=self._writer().html(rows)),
                target="#view",
                swap="innerMorph",
            )
            return
        for row in rows:
            if self.looks.get(row.span.key) == row.span.look:
                continue
            is_new = row.span.key not in self.looks
            self.looks[row.span.key] = row.span.look
            yield self._row(row, is_new=is_new)

    def _row(self, row: Row, *, is_new: bool) -> str:
        html = self._writer().html([row])
        return part(html, target="#rows" if is_new else f"#{row.dom_id}", swap="beforeend" if is_new else "outerMorph")

    def _writer(self) -> RowWriter:
        return row_writer(self.viewer.page, slug=self.viewer.principal.workspace.slug, view=self.view)

    def _header(self, page: TracePage) -> str:
        may_steer = AccessScope.AGENTS_RUN in self.viewer.principal.scopes
        verbs = offered_verbs(self.agent_request) if may_steer else []
        return part(
            self._template("_header", page=page, verbs=verbs, may_steer=may_steer), target="#header", swap="outerMorph"
        )

    def _questions(self) -> str:
        is_over = self.agent_request.is_terminal
        open_ones = [] if is_over else list(self.agent_request.interactions.filter(state="open"))
        return part(self._template("_questions", interactions=open_ones), target="#questions", swap="outerMorph")

    def _new_events(self, before: int) -> list[str]:
        asked = {**self.viewer.request.GET.dict(), "after": str(before)}
        html = self._template("_event_items", events=read_events(self.agent_request, asked))
        return [part(html, target="#events", swap="beforeend")] if html.strip() else []

    def _template(self, name: str, **context: object) -> str:
        return render_to_string(f"web/trace/{name}.html", {**self._context(), **context})

    def _context(self) -> dict[str, object]:
        return {
            "agent_request": self.agent_request,
            "may_answer": AccessScope.INTERACTIONS_ANSWER in self.viewer.principal.scopes,
            "slug": self.viewer.principal.workspace.slug,
            "request": self.viewer.page,
            "view": self.view,
        }
