"""Provider credentials: the key goes in encrypted and never comes out."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from agents.models import ProviderCredential
from tests.admin.conftest import SignIn
from tests.factories import CredentialFactory
from workspaces.models import AuditEntry
from workspaces.roles import Role

SECRET = "sk-very-secret-0123"
ADD = "admin:agents_providercredential_add"


@pytest.fixture
def admin_client(sign_in: SignIn):
    return sign_in(Role.ADMIN)


def url_of(credential: ProviderCredential) -> str:
    return reverse("admin:agents_providercredential_change", args=[credential.pk])


def entered(**values: object) -> dict[str, object]:
    return {"name": "main", "kind": "anthropic", "base_url": "", "key": "", **values}


def test_the_key_is_stored_encrypted_and_never_shown(admin_client, workspace):
    answer = admin_client.post(reverse(ADD), entered(workspace=workspace.pk, key=SECRET), follow=True)
    credential = workspace.credentials.get()
    assert credential.api_key == SECRET
    assert SECRET not in credential.encrypted_key
    page = admin_client.get(url_of(credential)).content.decode()
    for text in (answer.content.decode(), page):
        assert SECRET not in text
        assert credential.encrypted_key not in text
    kept = [
        *AuditEntry.rows.values_list("details", flat=True),
        *LogEntry.objects.values_list("change_message", flat=True),
    ]
    assert SECRET not in str(kept)
    assert AuditEntry.rows.get(action="credential.added").details["key"] == "set"


def test_a_wrong_form_does_not_echo_the_key(admin_client, workspace):
    answer = admin_client.post(reverse(ADD), entered(workspace=workspace.pk, name="", key=SECRET))
    assert answer.status_code == 200
    assert SECRET not in answer.content.decode()


def test_an_empty_key_keeps_the_stored_one(admin_client, workspace):
    credential = CredentialFactory.create(workspace=workspace)
    before = credential.api_key
    admin_client.post(url_of(credential), entered(name="renamed"))
    credential.refresh_from_db()
    assert (credential.name, credential.api_key) == ("renamed", before)
    assert AuditEntry.rows.get(action="credential.changed").details["key"] == "kept"


def test_another_address_needs_the_key_again(admin_client, workspace):
    credential = CredentialFactory.create(workspace=workspace, name="main")
    elsewhere = entered(base_url="https://collector.example.com")
    answer = admin_client.post(url_of(credential), elsewhere)
    assert "enter it again" in answer.content.decode()
    credential.refresh_from_db()
    assert credential.base_url == ""
    admin_client.post(url_of(credential), {**elsewhere, "key": "sk-new"})
    credential.refresh_from_db()
    assert (credential.base_url, credential.api_key) == ("https://collector.example.com", "sk-new")


@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai_chat"])
def test_a_vendor_needs_a_key(admin_client, workspace, kind):
    admin_client.post(reverse(ADD), entered(workspace=workspace.pk, kind=kind))
    assert not workspace.credentials.exists()


def test_a_compatible_server_may_need_none_and_never_gets_the_operators(admin_client, workspace, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-operator")
    values = entered(workspace=workspace.pk, kind="openai_chat", base_url="http://localhost:9999/v1")
    admin_client.post(reverse(ADD), values)
    assert workspace.credentials.get().api_key == "none"


@pytest.mark.parametrize("wrong", [{"base_url": "ftp://x.example"}, {"key": "sk-\u00e9"}, {"kind": "demo"}])
def test_what_cannot_work_is_refused(admin_client, workspace, wrong):
    admin_client.post(reverse(ADD), entered(**{"workspace": workspace.pk, "key": SECRET, **wrong}))
    assert not workspace.credentials.exists()


def test_a_name_is_unique_in_its_workspace(admin_client, workspace, other_workspace):
    CredentialFactory.create(workspace=other_workspace, name="main")
    admin_client.post(reverse(ADD), entered(workspace=workspace.pk, key=SECRET))
    answer = admin_client.post(reverse(ADD), entered(workspace=workspace.pk, key=SECRET))
    assert answer.status_code == 200
    assert workspace.credentials.count() == 1


def test_removing_is_audited(admin_client, workspace):
    credential = CredentialFactory.create(workspace=workspace)
    url = reverse("admin:agents_providercredential_delete", args=[credential.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    assert not workspace.credentials.exists()
    assert AuditEntry.rows.filter(action="credential.removed").exists()
