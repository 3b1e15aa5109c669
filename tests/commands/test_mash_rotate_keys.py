import json
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

from agents import rotate
from tests.commands.conftest import Said
from tests.factories import CredentialFactory, McpServerFactory, WorkspaceFactory
from workspaces import encryption

Run = Callable[..., Said]


def test_a_rotation_reaches_every_workspace_and_may_be_repeated(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate, "_BATCH", 2)
    credentials = [
        CredentialFactory.create(workspace=workspace)
        for workspace in WorkspaceFactory.create_batch(2)
        for _ in range(3)
    ]
    server = McpServerFactory.create(workspace=credentials[0].workspace)
    server.keep_secrets(headers={"Authorization": "Bearer sesame"}, env={})
    server.save()
    old = settings.MASH_ENCRYPTION_KEYS
    new = run("mash_rotate_keys", "--new-key").out.strip()
    settings.MASH_ENCRYPTION_KEYS = [new, *old]
    assert json.loads(run("mash_rotate_keys", "--json").out) == {"changed": 7, "current": 0, "unreadable": []}
    assert "0 keys encrypted anew, 7 were current" in run("mash_rotate_keys").out
    settings.MASH_ENCRYPTION_KEYS = [new]
    server.refresh_from_db()
    assert server.headers == {"Authorization": "Bearer sesame"}
    for credential in credentials:
        credential.refresh_from_db()
        assert credential.api_key == "sk-test-0123456789"


def test_a_key_that_nothing_opens_is_named_and_left_alone(run: Run, settings: Settings) -> None:
    credential = CredentialFactory.create(workspace=WorkspaceFactory.create(slug="research"), name="vendor")
    before = credential.encrypted_key
    settings.MASH_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    said = run("mash_rotate_keys")
    assert (said.code, "research/vendor" in said.err) == (1, True)
    credential.refresh_from_db()
    assert credential.encrypted_key == before
    assert not encryption.is_current(before)
