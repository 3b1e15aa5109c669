"""The tools of one MCP server: what each was when it was approved, what it is now, and one click to accept that."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from agents.mcp.models import McpPin, McpServer
from agents.mcp.pins import ProposalGone, approve, difference
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin

_KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTool:
    pin: McpPin
    digest: str
    """Of what the page shows; approving names it, so that nothing is approved unseen."""
    lines: list[tuple[str, str]]
    """Kind and text of each line of the difference, if there is something to approve."""


def urls(pages: WorkspaceModelAdmin) -> list[URLPattern]:
    """The routes, as part of the server admin's own."""
    view = pages.admin_site.admin_view

    def tools(request: HttpRequest, object_id: int) -> HttpResponse:
        return _tools(pages, request, object_id)

    def approve_tool(request: HttpRequest, object_id: int, pin_id: int) -> HttpResponse:
        return _approve(pages, request, object_id, pin_id)

    return [
        path("<int:object_id>/tools/", view(tools), name="agents_mcpserver_tools"),
        path(
            "<int:object_id>/tools/<int:pin_id>/approve/",
            view(require_POST(approve_tool)),
            name="agents_mcpserver_approve",
        ),
    ]


def _tools(pages: WorkspaceModelAdmin, request: HttpRequest, object_id: int) -> HttpResponse:
    server = _server(pages, request, object_id)
    context: dict[str, Any] = {
        **pages.admin_site.each_context(request),
        "title": f"Tools: {server.name}",
        "opts": pages.opts,
        "original": server,
        "shown_tools": [_shown(pin) for pin in server.pins.all()],
        "may_approve": pages.has_change_permission(request, server),
    }
    return TemplateResponse(request, "admin/agents/mcp_tools.html", context)


def _approve(pages: WorkspaceModelAdmin, request: HttpRequest, object_id: int, pin_id: int) -> HttpResponse:
    server = _server(pages, request, object_id)
    if not pages.has_change_permission(request, server):
        raise PermissionDenied
    pin = server.pins.filter(pk=pin_id).first()
    if pin is None:
        raise Http404("There is no such tool.")
    try:
        approve(pin, digest=request.POST.get("digest", ""), actor=access_of(request).actor)
    except ProposalGone as error:
        pages.message_user(request, str(error), messages.WARNING)
    else:
        pages.log_change(request, server, f"Approved the tool {pin.name}")
        pages.message_user(request, f"{pin.name} is offered from the next request on.", messages.SUCCESS)
    return HttpResponseRedirect(reverse("admin:agents_mcpserver_tools", args=[server.pk]))


def _server(pages: WorkspaceModelAdmin, request: HttpRequest, object_id: int) -> McpServer:
    server: McpServer = pages.get_object(request, str(object_id))
    if not pages.has_view_permission(request, server):
        raise PermissionDenied
    return server


def _shown(pin: McpPin) -> ShownTool:
    lines = difference(pin) if pin.awaits_approval else []
    shown = [(_KINDS.get(line[:1], "same"), line) for line in lines]
    return ShownTool(pin=pin, digest=pin.proposed_digest or pin.digest, lines=shown)
