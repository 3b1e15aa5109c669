"""Every tab of Settings: who sees it, who changes it, and that another workspace's rows are not there."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import CredentialFactory, MembershipFactory, UserFactory
from tests.pages.conftest import signed_in
from workspaces.invitations import invite
from workspaces.models import User, Workspace
from workspaces.roles import Role
from workspaces.tokens import issue_token

MANAGERS = {Role.OWNER, Role.ADMIN}
TABS = {
    "members": MANAGERS,
    "tokens": MANAGERS,
    "token-new": MANAGERS,
    "credentials": MANAGERS,
    "credential-new": MANAGERS,
    "prices": set(Role),
    "price-new": MANAGERS,
    "workspace": set(Role),
    "audit": MANAGERS,
    "preferences": set(Role),
}
ROWS = ("member", "invitation-revoke", "token-revoke", "credential", "credential-remove", "price-remove")


def url(workspace: Workspace, name: str, *arguments: object) -> str:
    return reverse(f"web:settings-{name}", args=[workspace.slug, *arguments])


def furnish(workspace: Workspace) -> dict[str, int]:
    """One row of each kind, by the routes that name it."""
    user: User = UserFactory.create()
    member = MembershipFactory.create(workspace=workspace, user=user, role=Role.OWNER)
    token, _ = issue_token(workspace, name="a token", actor="tests")
    credential = CredentialFactory.create(workspace=workspace)
    price = workspace.price_overrides.create(
        model_pattern="a-model", input_usd="1", output_usd="2", valid_from=timezone.now()
    )
    return {
        "member": member.pk,
        "invitation-revoke": invite(workspace, Role.VIEWER, by=user)[0].pk,
        "token-revoke": token.pk,
        "credential": credential.pk,
        "credential-remove": credential.pk,
        "price-remove": price.pk,
    }


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_its_tabs(workspace: Workspace, role: Role) -> None:
    user: User = UserFactory.create()
    MembershipFactory.create(workspace=workspace, user=user, role=role)
    browser, rows = signed_in(user), furnish(workspace)
    seen = {name for name in TABS if browser.get(url(workspace, name)).status_code == 200}
    assert seen == {name for name, roles in TABS.items() if role in roles}
    pages = {browser.get(url(workspace, name, pk)).status_code for name, pk in rows.items()}
    assert pages == ({200} if role in MANAGERS else {403})
    tabs = browser.get(url(workspace, "preferences")).content.decode()
    assert (url(workspace, "members") in tabs) == (role in MANAGERS)


def test_who_may_only_look_changes_nothing(viewer: Client, workspace: Workspace) -> None:
    rows, before = furnish(workspace), workspace.audit_entries.count()
    for name in ("members", "token-new", "credential-new", "price-new", "workspace"):
        assert viewer.post(url(workspace, name), {"name": "x"}).status_code == 403
    for name, pk in rows.items():
        assert viewer.post(url(workspace, name, pk), {"do": "remove"}).status_code == 403
    assert workspace.audit_entries.count() == before
    page = viewer.get(url(workspace, "workspace")).content.decode()
    assert "<textarea" not in page
    assert workspace.host_id in page


def test_another_workspaces_rows_are_not_there(
    visitor: Client, workspace: Workspace, other_workspace: Workspace
) -> None:
    rows, before = furnish(other_workspace), other_workspace.audit_entries.count()
    for name, pk in rows.items():
        assert visitor.get(url(workspace, name, pk)).status_code == 404
        assert visitor.post(url(workspace, name, pk), {"do": "remove"}).status_code == 404
        assert visitor.get(url(other_workspace, name, pk)).status_code == 404
    for name in TABS:
        assert visitor.get(url(other_workspace, name)).status_code == 404
    assert other_workspace.audit_entries.count() == before
    assert visitor.get(url(workspace, "member", 10**30)).status_code == 404


@pytest.mark.parametrize("name", ["members", "tokens", "credentials", "prices", "workspace", "audit", "preferences"])
def test_a_tab_asks_little(visitor: Client, workspace: Workspace, name: str, django_assert_max_num_queries) -> None:
    furnish(workspace)
    visitor.get(url(workspace, name))
    with django_assert_max_num_queries(8):
        assert visitor.get(url(workspace, name)).status_code == 200


def test_settings_lead_to_the_first_tab_of_a_person(visitor: Client, viewer: Client, workspace: Workspace) -> None:
    page = reverse("web:settings", args=[workspace.slug])
    assert visitor.get(page).headers["Location"] == url(workspace, "members")
    assert viewer.get(page).headers["Location"] == url(workspace, "preferences")


def test_preferences_are_kept_and_shown(viewer: Client, workspace: Workspace) -> None:
    page = url(workspace, "preferences")
    wanted = {"theme": "dark", "density": "comfortable", "tz": "Asia/Tokyo", "shortcuts": "off"}
    assert viewer.post(page, wanted).headers["Location"] == page
    shown = viewer.get(page).content.decode()
    assert 'data-theme="dark"' in shown
    assert 'data-density="comfortable"' in shown
    assert 'data-shortcuts="off"' in shown
    assert "<option selected>Asia/Tokyo</option>" in shown
    assert 'data-theme="dark"' in viewer.get("/account/password/").content.decode()
    assert viewer.post(page, wanted | {"tz": "Mars/Olympus"}).status_code == 200


def test_the_audit_trail_is_filtered_and_paged(visitor: Client, workspace: Workspace) -> None:
    for number in range(60):
        workspace.audit_entries.create(
            at=timezone.now(),
            actor="ada",
            action="member.changed",
            target=f"person-{number:02}",
            details={"to": "<b>x"},
        )
    issue_token(workspace, name="nightly", actor="grace")
    page = url(workspace, "audit")
    shown = visitor.get(page).content.decode()
    assert "nightly" in shown
    assert "&lt;b&gt;x" in shown
    assert "person-59" in shown
    assert "person-00" not in shown
    older = visitor.get(page, {"action": "member", "cursor": workspace.audit_entries.get(target="person-10").pk})
    assert "person-09" in older.content.decode()
    assert "person-10" not in older.content.decode()
    by_grace = visitor.get(page, {"actor": "grace"}).content.decode()
    assert "nightly" in by_grace
    assert "person-" not in by_grace
    assert "Clear the filters" in visitor.get(page, {"actor": "nobody"}).content.decode()
    part = visitor.get(page, {"actor": "grace"}, headers={"HX-Request-Type": "partial", "HX-Target": "div#results"})
    assert "<nav" not in part.content.decode()


def test_name_and_limits_are_changed_and_audited(visitor: Client, workspace: Workspace) -> None:
    page, slug, host_id = url(workspace, "workspace"), workspace.slug, workspace.host_id
    values = {"name": "Renamed", "max_concurrent_requests": "", "max_queued_requests": 5, "max_attachment_megabytes": 7}
    values |= {"api_log_enabled": "on", "api_log_days": 30}
    values |= {"tools_requiring_approval": "bash\nwrite_file, bash", "slug": "stolen", "host_id": "h_stolen"}
    assert visitor.post(page, values).status_code == 302
    workspace.refresh_from_db()
    assert (workspace.name, workspace.max_queued_requests, workspace.max_attachment_megabytes) == ("Renamed", 5, 7)
    assert workspace.tools_requiring_approval == ["bash", "write_file"]
    assert (workspace.slug, workspace.host_id) == (slug, host_id)
    entry = workspace.audit_entries.get(action="workspace.changed")
    assert entry.details["tools_requiring_approval"] == ["bash", "write_file"]
    wrong = visitor.post(page, values | {"name": "", "max_queued_requests": -1})
    assert wrong.status_code == 200
    assert b"greater than or equal to 0" in wrong.content
    visitor.post(page, values)
    assert workspace.audit_entries.filter(action="workspace.changed").count() == 1, "Nothing changed, nothing noted."
