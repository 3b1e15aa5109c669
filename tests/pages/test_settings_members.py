"""Members: another role, and the way out."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import MembershipFactory, UserFactory
from tests.pages.conftest import signed_in
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Role


def page(membership: Membership) -> str:
    return reverse("web:settings-member", args=[membership.workspace.slug, membership.pk])


@pytest.fixture
def ada(workspace: Workspace) -> Membership:
    membership: Membership = MembershipFactory.create(
        workspace=workspace, user=UserFactory.create(username="ada"), role=Role.VIEWER
    )
    return membership


def test_a_role_is_changed_and_lets_developers_into_the_admin(visitor: Client, ada: Membership) -> None:
    shown = visitor.post(page(ada), {"do": "role", "role": "developer"}, follow=True)
    assert b"ada is developer now." in shown.content
    ada.refresh_from_db()
    assert ada.role == Role.DEVELOPER
    assert ada.user.is_staff
    assert ada.workspace.audit_entries.get(action="member.changed").details == {"from": "viewer", "role": "developer"}


def test_a_member_is_removed(visitor: Client, ada: Membership, workspace: Workspace) -> None:
    shown = visitor.post(page(ada), {"do": "remove"}, follow=True)
    assert b"ada is no member any more." in shown.content
    assert not workspace.memberships.filter(user__username="ada").exists()
    assert User.objects.filter(username="ada").exists()


@pytest.mark.parametrize("values", [{"do": "remove"}, {"do": "role", "role": "viewer"}])
def test_the_last_owner_is_told_in_words(
    visitor: Client, workspace: Workspace, owner: User, values: dict[str, str]
) -> None:
    membership = workspace.memberships.get(user=owner)
    visitor.post(page(membership), values)
    assert "last owner" in visitor.get(page(membership)).content.decode()
    membership.refresh_from_db()
    assert membership.role == Role.OWNER


def test_an_admin_leaves_owners_alone_and_makes_none(workspace: Workspace, owner: User, ada: Membership) -> None:
    admin: User = UserFactory.create()
    MembershipFactory.create(workspace=workspace, user=admin, role=Role.ADMIN)
    browser, owners = signed_in(admin), workspace.memberships.get(user=owner)
    assert b"Only an owner decides about owners." in browser.get(page(owners)).content
    for values in ({"do": "remove"}, {"do": "reset"}, {"do": "role", "role": "viewer"}):
        assert browser.post(page(owners), values).status_code == 403
    assert browser.post(page(ada), {"do": "role", "role": "owner"}).status_code == 200
    ada.refresh_from_db()
    assert ada.role == Role.VIEWER


def test_who_also_belongs_elsewhere_is_not_reset(visitor: Client, ada: Membership, other_workspace: Workspace) -> None:
    MembershipFactory.create(workspace=other_workspace, user=ada.user)
    assert b"Only the operator can reset" in visitor.get(page(ada)).content
    assert visitor.post(page(ada), {"do": "reset"}).status_code == 403


def test_who_leaves_goes_home(workspace: Workspace, owner: User) -> None:
    second: User = UserFactory.create()
    membership = MembershipFactory.create(workspace=workspace, user=second, role=Role.OWNER)
    assert signed_in(second).post(page(membership), {"do": "remove"}).headers["Location"] == "/w/"
