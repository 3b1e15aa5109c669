"""Members: added by account name, audited, and never without an owner."""

import pytest
from django.urls import reverse

from tests.admin.conftest import SignIn, browser_of, make_member
from tests.factories import UserFactory
from workspaces.bootstrap import add_member
from workspaces.members import LastOwner, remove_member
from workspaces.models import AuditEntry, User, Workspace
from workspaces.roles import Role

ADD = "admin:workspaces_membership_add"


@pytest.fixture
def owner(workspace: Workspace) -> User:
    return make_member(workspace, Role.OWNER)


@pytest.fixture
def owner_client(owner: User):
    return browser_of(owner)


def page(name: str, membership) -> str:
    return reverse(f"admin:workspaces_membership_{name}", args=[membership.pk])


def test_a_person_is_added_by_account_and_may_sign_in(owner_client, workspace):
    user = UserFactory.create(username="ada")
    values = {"workspace": workspace.pk, "account": "ADA@example.com", "role": "operator", "is_staff": "on"}
    assert owner_client.post(reverse(ADD), values).status_code == 302
    user.refresh_from_db()
    assert workspace.memberships.get(user=user).role == Role.OPERATOR
    assert user.is_staff
    assert AuditEntry.rows.filter(action="member.added", target="ada").exists()


def test_accounts_are_not_listed(owner_client):
    UserFactory.create(username="somebody-else")
    assert b"somebody-else" not in owner_client.get(reverse(ADD)).content


@pytest.mark.parametrize("account", ["nobody", ""])
def test_an_unknown_account_is_refused(owner_client, workspace, account):
    answer = owner_client.post(reverse(ADD), {"workspace": workspace.pk, "account": account, "role": "viewer"})
    assert answer.status_code == 200
    assert workspace.memberships.count() == 1


def test_a_member_is_not_added_twice(owner_client, workspace, owner):
    values = {"workspace": workspace.pk, "account": owner.username, "role": "viewer"}
    assert b"a member already" in owner_client.post(reverse(ADD), values).content


def test_a_changed_role_is_audited(owner_client, workspace):
    membership = workspace.memberships.get(user=make_member(workspace, Role.VIEWER))
    owner_client.post(page("change", membership), {"role": "developer"})
    membership.refresh_from_db()
    assert membership.role == Role.DEVELOPER
    assert AuditEntry.rows.get(action="member.changed").details == {"from": "viewer", "role": "developer"}


def test_the_last_owner_is_neither_demoted_nor_removed(owner_client, workspace, owner):
    membership = workspace.memberships.get(user=owner)
    answer = owner_client.post(page("change", membership), {"role": "viewer"})
    assert b"last owner" in answer.content
    answer = owner_client.post(page("delete", membership), {"post": "yes"}, follow=True)
    assert b"last owner" in answer.content
    membership.refresh_from_db()
    assert membership.role == Role.OWNER


def test_the_verbs_keep_an_owner_too(workspace, owner):
    with pytest.raises(LastOwner):
        add_member(workspace, owner, Role.VIEWER, actor="tests")
    with pytest.raises(LastOwner):
        remove_member(workspace.memberships.get(user=owner), actor="tests")


def test_one_of_two_owners_may_go(owner_client, workspace, owner):
    other = workspace.memberships.get(user=make_member(workspace, Role.OWNER))
    assert owner_client.post(page("delete", other), {"post": "yes"}).status_code == 302
    assert workspace.memberships.count() == 1
    assert AuditEntry.rows.filter(action="member.removed").exists()


def test_an_admin_makes_no_owners_and_touches_none(sign_in: SignIn, workspace, owner):
    client = sign_in(Role.ADMIN)
    UserFactory.create(username="ada")
    values = {"workspace": workspace.pk, "account": "ada", "role": "owner"}
    assert b"Only an owner" in client.post(reverse(ADD), values).content
    membership = workspace.memberships.get(user=owner)
    assert client.post(page("change", membership), {"role": "viewer"}).status_code == 403
    assert client.post(page("delete", membership), {"post": "yes"}).status_code == 403


def test_the_operator_makes_accounts_with_djangos_own_forms(operator):
    password = "correct-horse-battery"
    values = {"username": "new-person", "usable_password": "true", "password1": password, "password2": password}
    assert operator.post(reverse("admin:workspaces_user_add"), values).status_code == 302
    user = User.objects.get(username="new-person")
    assert user.check_password(password)
    page_text = operator.get(reverse("admin:workspaces_user_change", args=[user.pk])).content.decode()
    assert user.password not in page_text


def test_the_operator_makes_a_workspace(operator):
    values = {"slug": "new-team", "name": "New team", "max_queued_requests": 50, "max_concurrent_requests": ""}
    values |= {"max_attachment_megabytes": 5, "api_log_enabled": "on", "api_log_days": 30}
    assert operator.post(reverse("admin:workspaces_workspace_add"), values).status_code == 302
    created = Workspace.objects.get(slug="new-team")
    assert created.max_queued_requests == 50
    assert created.audit_entries.filter(action="workspace.created").exists()


def test_an_owner_edits_name_and_limits_but_not_the_slug(owner_client, workspace):
    url = reverse("admin:workspaces_workspace_change", args=[workspace.pk])
    values = {"slug": "stolen", "name": "Renamed", "max_queued_requests": 5, "max_concurrent_requests": 2}
    values |= {"max_attachment_megabytes": 5, "api_log_enabled": "on", "api_log_days": 30}
    assert owner_client.post(url, values).status_code == 302
    before = workspace.slug
    workspace.refresh_from_db()
    assert (workspace.slug, workspace.name, workspace.max_concurrent_requests) == (before, "Renamed", 2)
    assert AuditEntry.rows.filter(action="workspace.changed").exists()
