"""Version histories: what changed, who changed it, and one click back; first of all those of agents."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from agents.check import definition_faults
from agents.delegation_cycle import delegation_fault
from agents.models import Agent
from agents.versions import diff_lines, restore_version, version_diff
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin

PAGE_SIZE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersion:
    version: Any
    is_current: bool
    restore_url: str
    lines: list[tuple[str, str]]
    """Kind and text of each line of the difference to the version before."""


def urls(pages: WorkspaceModelAdmin) -> list[URLPattern]:
    """The history's routes, as part of the agent admin's own."""
    view, site = pages.admin_site.admin_view, "agents_agent"

    def history(request: HttpRequest, object_id: int) -> HttpResponse:
        return _history(pages, request, object_id)

    def restore(request: HttpRequest, object_id: int, number: int) -> HttpResponse:
        return _restore(pages, request, object_id, number)

    return [
        path("<int:object_id>/versions/", view(history), name=f"{site}_versions"),
        path("<int:object_id>/versions/<int:number>/restore/", view(require_POST(restore)), name=f"{site}_restore"),
    ]


def _history(pages: WorkspaceModelAdmin, request: HttpRequest, object_id: int) -> HttpResponse:
    agent = _agent(pages, request, object_id)
    page = history_page(
        agent.versions.all(),
        request.GET.get("before", ""),
        current_pk=agent.current_version_id,
        difference=version_diff,
        restore_url=lambda version: reverse("admin:agents_agent_restore", args=[agent.pk, version.number]),
    )
    context: dict[str, Any] = {
        **pages.admin_site.each_context(request),
        "title": f"Versions: {agent.agent_id}",
        "opts": pages.opts,
        "original": agent,
        **page,
        "may_restore": _may_restore(pages, request, agent),
    }
    return TemplateResponse(request, "admin/agents/agent_versions.html", context)


def _restore(pages: WorkspaceModelAdmin, request: HttpRequest, object_id: int, number: int) -> HttpResponse:
    agent = _agent(pages, request, object_id)
    if not _may_restore(pages, request, agent):
        raise PermissionDenied
    old = agent.versions.filter(number=number).first()
    if old is None:
        raise Http404("There is no such version.")
    access = access_of(request)
    restored = restore_version(old, actor=access.actor, author=access.user)
    pages.log_change(request, agent, f"Back to version {number}")
    pages.message_user(request, f"Version {restored.number} is now what version {number} was.", messages.SUCCESS)
    definition = restored.typed_definition
    faults = [*definition_faults(agent.workspace, definition).values()]
    faults.append(delegation_fault(agent.workspace, agent.agent_id, agent.role, definition))
    for fault in filter(None, faults):
        pages.message_user(request, fault, messages.WARNING)
    return HttpResponseRedirect(reverse("admin:agents_agent_versions", args=[agent.pk]))


def _agent(pages: WorkspaceModelAdmin, request: HttpRequest, object_id: int) -> Agent:
    agent: Agent = pages.get_object(request, str(object_id))
    if not pages.has_view_permission(request, agent):
        raise PermissionDenied
    return agent


def _may_restore(pages: WorkspaceModelAdmin, request: HttpRequest, agent: Agent) -> bool:
    """What code defines would come back at the next start."""
    return agent.source == Agent.Source.DATABASE and pages.has_change_permission(request, agent)


def history_page(
    versions: "QuerySet[Any]",
    before: str,
    *,
    current_pk: int | None,
    difference: Callable[[Any, Any], str],
    restore_url: Callable[[Any], str],
) -> dict[str, Any]:
    """One page of a version history, newest first, each version compared with the one before it."""
    versions = versions.select_related("author").order_by("-number")
    if before.isdecimal():
        versions = versions.filter(number__lt=int(before[:9]))
    found = list(versions[: PAGE_SIZE + 1])
    older = [*found[1:], None]
    shown = [
        ShownVersion(
            version=version,
            is_current=version.pk == current_pk,
            restore_url=restore_url(version),
            lines=diff_lines(difference(previous, version)),
        )
        for version, previous in list(zip(found, older, strict=True))[:PAGE_SIZE]
    ]
    next_before = found[PAGE_SIZE - 1].number if len(found) > PAGE_SIZE else None
    return {"shown_versions": shown, "next_before": next_before}
