"""A workflow's runs while somebody looks."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string

from runtime.sse import Receive, Scope, Send
from telemetry.live.changes import Show, send_changes
from telemetry.live.door import Viewer
from telemetry.live.frames import part
from workflows.public import shown_status
from workspaces.roles import Scope as AccessScope


async def workflow_stream(scope: Scope, receive: Receive, send: Send) -> None:
    """`GET /w/<workspace>/workflows/<id>/stream`, with the filters of the page and `after`."""
    workflow_id = scope["url_route"]["kwargs"]["workflow_id"]

    def shown_to(viewer: Viewer) -> Show:
        return _Runs(viewer=viewer, workflow_id=workflow_id)

    await send_changes(scope, receive, send, needed=AccessScope.AGENTS_READ, shown_to=shown_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    viewer: Viewer
    workflow_id: str

    def __call__(self, request_pks: Sequence[int]) -> list[str]:
        workspace, wanted = self.viewer.principal.workspace, self.viewer.request.GET
        runs = workspace.workflow_runs.filter(pk__in=request_pks, workflow__workflow_id=self.workflow_id)
        html = ""
        for run in runs.select_related("agent_request", "version").order_by("pk"):
            is_wanted = wanted.get("status") in {None, "", shown_status(run.agent_request.status)} and (
                wanted.get("trigger") in {None, "", run.trigger}
            )
            about = {"run": run, "slug": workspace.slug, "is_update": not is_wanted}
            html += render_to_string("web/workflows/page.html#row", about)
        return [part(html, target="#rows", swap="live-rows")] if html else []
