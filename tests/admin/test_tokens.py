"""API tokens: shown once, revoked, never edited."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tests.admin.conftest import SignIn
from workspaces.models import ApiToken, AuditEntry, Workspace
from workspaces.roles import Role
from workspaces.tokens import digest_of, issue_token

ADD = "admin:workspaces_apitoken_add"
LIST = "admin:workspaces_apitoken_changelist"


@pytest.fixture
def admin_client(sign_in: SignIn):
    return sign_in(Role.ADMIN)


def asked(workspace: Workspace, **values: object) -> dict[str, object]:
    return {"workspace": workspace.pk, "name": "nightly", "scopes": ["agents:read", "agents:run"], **values}


def test_the_token_is_shown_once(admin_client, workspace):
    answer = admin_client.post(reverse(ADD), asked(workspace), follow=True)
    texts = re.findall(r"mash_[0-9a-f]{8}_[\w-]{43}", answer.content.decode())
    assert len(texts) == 1
    token = ApiToken.rows.get()
    assert token.digest == digest_of(texts[0])
    assert token.scopes == ["agents:read", "agents:run"]
    assert token.created_by.pk == int(admin_client.session["_auth_user_id"])
    for url in (reverse(LIST), reverse("admin:workspaces_apitoken_change", args=[token.pk]), reverse("admin:index")):
        assert texts[0] not in admin_client.get(url).content.decode()
    kept = [
        *AuditEntry.rows.values_list("details", "target"),
        *LogEntry.objects.values_list("object_repr", "change_message"),
    ]
    assert texts[0] not in str(kept)
    assert (
        token.digest
        not in admin_client.get(reverse("admin:workspaces_apitoken_change", args=[token.pk])).content.decode()
    )


def test_issuing_is_audited(admin_client, workspace):
    admin_client.post(reverse(ADD), asked(workspace))
    entry = AuditEntry.rows.filter(action="token.issued").get()
    assert entry.details == {"scopes": ["agents:read", "agents:run"]}


@pytest.mark.parametrize("wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"expires_at_0": "soon"}])
def test_a_wrong_form_issues_nothing(admin_client, workspace, wrong):
    answer = admin_client.post(reverse(ADD), asked(workspace, **wrong))
    assert answer.status_code == 200
    assert not ApiToken.rows.exists()


def test_another_workspace_cannot_be_chosen(admin_client, other_workspace):
    admin_client.post(reverse(ADD), asked(other_workspace))
    assert not ApiToken.rows.exists()


def test_revoking_ends_the_token(admin_client, workspace):
    token, _ = issue_token(workspace, name="old", actor="tests")
    admin_client.post(reverse(LIST), {"action": "revoke", "_selected_action": [token.pk], "index": 0})
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert AuditEntry.rows.filter(action="token.revoked").count() == 1


def test_a_stranger_revokes_nothing(admin_client, other_workspace):
    token, _ = issue_token(other_workspace, name="theirs", actor="tests")
    admin_client.post(reverse(LIST), {"action": "revoke", "_selected_action": [token.pk], "index": 0})
    token.refresh_from_db()
    assert token.revoked_at is None


def test_a_token_is_never_edited(admin_client, workspace):
    token, _ = issue_token(workspace, name="old", actor="tests")
    url = reverse("admin:workspaces_apitoken_change", args=[token.pk])
    assert admin_client.post(url, asked(workspace, name="new")).status_code == 403
