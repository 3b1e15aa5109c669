"""The workspace's page in the admin: what of the API's calls is kept."""

from django.urls import reverse

from tests.admin.conftest import SignIn
from workspaces.models import AuditEntry, Workspace
from workspaces.roles import Role


def test_an_admin_chooses_what_the_api_log_keeps(sign_in: SignIn, workspace: Workspace) -> None:
    client, url = sign_in(Role.ADMIN), reverse("admin:workspaces_workspace_change", args=[workspace.pk])
    values = {"name": workspace.name, "max_queued_requests": 10, "max_attachment_megabytes": 1}
    wrong = client.post(url, {**values, "api_log_days": 0})
    assert "api_log_days" in wrong.context["adminform"].form.errors
    assert client.post(url, {**values, "api_log_bodies": "on", "api_log_days": 7}).status_code == 302
    workspace.refresh_from_db()
    assert (workspace.api_log_enabled, workspace.api_log_bodies, workspace.api_log_days) == (False, True, 7)
    assert AuditEntry.rows.get(action="workspace.changed").details["api_log_days"] == 7
