"""Invitations: who may make one, whom it lets in, and that it works once."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import MembershipFactory, UserFactory
from tests.pages.conftest import signed_in
from workspaces import members
from workspaces.authenticate import Forbidden
from workspaces.invitations import InvitationClosed, accept_invitation, invite
from workspaces.models import AuditEntry, Invitation, User, Workspace
from workspaces.roles import Role

PASSWORD = "correct-horse-battery"


def member(workspace: Workspace, role: Role) -> User:
    user: User = UserFactory.create()
    MembershipFactory.create(workspace=workspace, user=user, role=role)
    return user


def link_of(secret: str) -> str:
    return reverse("join", args=[secret])


def account(name: str = "linus", **values: str) -> dict[str, str]:
    return {"username": name, "email": "", "password1": PASSWORD, "password2": PASSWORD, **values}


def test_the_link_is_shown_once_and_kept_nowhere(visitor: Client, owner: User, workspace: Workspace) -> None:
    page = reverse("web:settings-members", args=[workspace.slug])
    shown = visitor.post(page, {"role": "operator", "email": "linus@example.com"})
    text = shown.content.decode()
    (secret,) = set(re.findall(r"/account/join/([\w-]{43})/", text))
    assert shown.headers["Cache-Control"] == "no-store"
    listed = visitor.get(page).content.decode()
    assert "linus@example.com" in listed
    assert secret not in listed
    kept = [*Invitation.rows.values_list(), *AuditEntry.rows.values_list("target", "details")]
    assert secret not in str(kept) + str(dict(visitor.session))
    assert AuditEntry.rows.get(action="invitation.made").actor == owner.username
    assert not mail.outbox


def test_it_is_mailed_where_there_is_a_server(visitor: Client, workspace: Workspace, settings) -> None:
    settings.MASH_EMAIL_HOST = "mail.example.com"
    page = reverse("web:settings-members", args=[workspace.slug])
    shown = visitor.post(page, {"role": "viewer", "email": "linus@example.com"})
    assert b"on its way to linus@example.com" in shown.content
    (letter,) = mail.outbox
    assert re.search(r"http://testserver/account/join/[\w-]{43}/", letter.body)


def test_somebody_new_makes_an_account_and_is_in(workspace: Workspace, owner: User) -> None:
    _, secret = invite(workspace, Role.DEVELOPER, by=owner, email="linus@example.com")
    browser = Client()
    page = browser.get(link_of(secret))
    assert b"linus@example.com" in page.content
    assert workspace.name in page.content.decode()
    weak = browser.post(link_of(secret), account(password1="short", password2="short"))
    assert b"at least 10" in weak.content
    joined = browser.post(link_of(secret), account(email="linus@example.com"))
    assert joined.headers["Location"] == f"/w/{workspace.slug}/"
    user = User.objects.get(username="linus")
    assert workspace.memberships.get(user=user).role == Role.DEVELOPER
    assert user.check_password(PASSWORD)
    assert (user.is_staff, user.is_superuser) == (True, False), "Developers define agents, which is done in the admin."
    assert browser.get(f"/w/{workspace.slug}/settings/preferences/").status_code == 200
    actions = set(AuditEntry.rows.filter(actor="linus").values_list("action", flat=True))
    assert actions == {"invitation.accepted", "member.added"}


def test_somebody_who_is_signed_in_says_yes_first(workspace: Workspace, owner: User, stranger: Client) -> None:
    _, secret = invite(workspace, Role.VIEWER, by=owner)
    assert b"Join as" in stranger.get(link_of(secret)).content
    assert workspace.memberships.count() == 1
    assert stranger.post(link_of(secret)).status_code == 302
    user = workspace.memberships.latest("pk").user
    assert (workspace.memberships.count(), user.is_staff) == (2, False)


def test_a_member_keeps_role_and_invitation(workspace: Workspace, owner: User, visitor: Client) -> None:
    invitation, secret = invite(workspace, Role.VIEWER, by=owner)
    assert b"already" in visitor.post(link_of(secret)).content
    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    assert workspace.memberships.get(user=owner).role == Role.OWNER


def test_it_lets_one_person_in(workspace: Workspace, owner: User) -> None:
    invitation, secret = invite(workspace, Role.VIEWER, by=owner)
    Client().post(link_of(secret), account())
    again = Client().post(link_of(secret), account("second"))
    assert again.status_code == 410
    assert b"has been used" in again.content
    with pytest.raises(InvitationClosed):
        accept_invitation(invitation, User(username="third"))
    assert not User.objects.filter(username__in=["second", "third"]).exists()


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, 410, b"has expired"),
        ({"revoked_at": timezone.now()}, 410, b"was revoked"),
        ({"created_by": None}, 410, b"may not invite any more"),
        ({"digest": "another"}, 404, b"no such invitation"),
    ],
)
def test_a_closed_link_says_why(
    workspace: Workspace, owner: User, change: dict[str, object], status: int, words: bytes
) -> None:
    invitation, secret = invite(workspace, Role.VIEWER, by=owner)
    workspace.invitations.filter(pk=invitation.pk).update(**change)
    for answer in (Client().get(link_of(secret)), Client().post(link_of(secret), account())):
        assert answer.status_code == status
        assert words in answer.content
        assert workspace.name not in answer.content.decode()
    assert not User.objects.filter(username="linus").exists()


def test_who_is_shown_out_does_not_come_back_by_an_own_link(workspace: Workspace, owner: User) -> None:
    admin = member(workspace, Role.ADMIN)
    _, secret = invite(workspace, Role.ADMIN, by=admin)
    members.remove_member(workspace.memberships.get(user=admin), actor="tests")
    assert signed_in(admin).post(link_of(secret)).status_code == 410


def test_nobody_invites_above_their_own_role(workspace: Workspace) -> None:
    admin = member(workspace, Role.ADMIN)
    page = reverse("web:settings-members", args=[workspace.slug])
    browser = signed_in(admin)
    assert b'value="owner"' not in browser.get(page).content
    assert b"valid choice" in browser.post(page, {"role": "owner"}).content
    for user, role in (
        (admin, Role.OWNER),
        (member(workspace, Role.DEVELOPER), Role.VIEWER),
        (UserFactory.create(), Role.VIEWER),
    ):
        with pytest.raises(Forbidden):
            invite(workspace, role, by=user)
    assert not workspace.invitations.exists()


def test_revoking_closes_the_link(visitor: Client, workspace: Workspace, owner: User) -> None:
    invitation, secret = invite(workspace, Role.VIEWER, by=owner)
    url = reverse("web:settings-invitation-revoke", args=[workspace.slug, invitation.pk])
    assert b"Revoke this invitation?" in visitor.get(url).content
    assert visitor.post(url).status_code == 302
    assert b"was revoked" in Client().get(link_of(secret)).content
    assert AuditEntry.rows.filter(action="invitation.revoked").count() == 1


def test_a_taken_name_or_address_is_told_at_the_form(workspace: Workspace, owner: User) -> None:
    _, secret = invite(workspace, Role.VIEWER, by=owner)
    taken = Client().post(link_of(secret), account(owner.username.upper()))
    assert b"already exists" in taken.content
    taken = Client().post(link_of(secret), account(email=owner.email.upper()))
    assert b"There is an account with this e-mail address." in taken.content
    assert workspace.memberships.count() == 1
