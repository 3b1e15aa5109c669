"""The workspace's name and limits."""

from functools import partial

from django.http import HttpResponse

from telemetry.web.settings.forms import WorkspaceForm
from telemetry.web.settings.tabs import change, show
from telemetry.web.visit import Visit, screen
from workspaces.change import change_workspace
from workspaces.models import Workspace
from workspaces.roles import Scope


@screen("settings", Scope.AGENTS_READ, methods=("GET", "POST"))
def workspace_settings(visit: Visit) -> HttpResponse:
    may_change = visit.may(Scope.MEMBERS_WRITE)
    if visit.request.method == "POST":
        visit.principal.require(Scope.MEMBERS_WRITE)
    # A form that fails leaves what was entered in its row, and the shell shows the workspace.
    workspace = Workspace.objects.get(pk=visit.workspace.pk) if may_change else visit.workspace
    form = WorkspaceForm(visit.request.POST or None, instance=workspace)
    if may_change and form.is_valid():
        before = visit.workspace
        values = {name: value for name, value in form.cleaned_data.items() if value != getattr(before, name)}
        verb = partial(change_workspace, workspace, values, actor=visit.principal.name)
        return change(visit, visit.link("settings-workspace"), "Saved.", verb)
    return show(visit, "workspace", {"form": form, "may_change": may_change})
