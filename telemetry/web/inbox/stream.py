"""The inbox as it changes: questions that are asked, answered or out of time."""

from collections.abc import Sequence

from django.template.loader import render_to_string

from runtime.sse import Receive, Scope, Send
from telemetry.live.changes import Show, send_changes
from telemetry.live.door import Viewer
from telemetry.live.frames import part
from telemetry.query.interactions import read_interaction_filter, with_request
from telemetry.web.inbox.questions import question_of
from workspaces.roles import Scope as AccessScope

_MOST_QUESTIONS = 100


async def inbox_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/inbox/stream`, with the tab of the page."""
    await send_changes(scope, receive, send, needed=AccessScope.SESSIONS_READ, shown_to=_shown_to)


def _shown_to(viewer: Viewer) -> Show:
    return _Inbox(viewer)


class _Inbox:
    def __init__(self, viewer: Viewer) -> None:
        self._workspace = viewer.principal.workspace
        self._which = read_interaction_filter(viewer.request.GET.dict())
        self._may_answer = AccessScope.INTERACTIONS_ANSWER in viewer.principal.scopes
        self._told: dict[int, str] = {}

    def __call__(self, request_pks: Sequence[int]) -> list[str]:
        rows = with_request(self._workspace.interactions.filter(agent_request__in=request_pks)).order_by("-pk")
        # A question is sent again only when its state has changed: somebody may be writing an answer.
        changed = [row for row in rows[:_MOST_QUESTIONS] if self._told.get(row.pk) != row.state]
        self._told.update({row.pk: row.state for row in changed})
        html = "".join(
            render_to_string(
                "web/inbox/_question.html",
                {
                    "question": question_of(row),
                    "slug": self._workspace.slug,
                    "may_answer": self._may_answer,
                    "is_update": not self._which.admits(row),
                },
            )
            for row in changed
        )
        return [part(html, target="#rows", swap="live-rows")] if html else []
