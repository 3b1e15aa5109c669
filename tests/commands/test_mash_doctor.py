import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from agents.tools import leftovers
from runtime import doctor
from runtime.doctor import Level
from runtime.kinds import Status
from tests.commands.conftest import Said
from tests.factories import AgentFactory, AgentRequestFactory, CredentialFactory, WorkspaceFactory

Run = Callable[..., Said]


def told(subject: str) -> str:
    found = [f"{finding.level}: {finding.text}" for finding in doctor.examine() if finding.subject == subject]
    return "\n".join(found)


def test_the_worst_finding_decides_the_exit_code(run: Run) -> None:
    said = run("mash_doctor", "--json")
    report = json.loads(said.out)
    assert said.code == {"ok": 0, "warn": 1, "fail": 2}[report["level"]]
    assert {"level", "subject", "text", "advice"} == set(report["findings"][0])


def test_no_secret_is_shown(run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-very-secret")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://someone:hidden@127.0.0.1:9/v1")
    CredentialFactory.create()
    settings.MASH_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), "broken-secret"]
    for said in (run("mash_doctor"), run("mash_doctor", "--json")):
        shown = said.out + said.err
        assert "ANTHROPIC_API_KEY is set" in shown
        for secret in ("very-secret", "hidden", "broken-secret", *settings.MASH_ENCRYPTION_KEYS, settings.SECRET_KEY):
            assert secret not in shown


def test_a_provider_that_cannot_be_reached_is_told(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in doctor.agents._PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert "cannot be reached" in told("openai")


def test_an_agent_that_cannot_run_is_named(db: None) -> None:
    workspace = WorkspaceFactory.create(slug="research")
    AgentFactory.create(workspace=workspace, agent_id="good")
    AgentFactory.create(workspace=workspace, agent_id="bad", definition={"tools": ["fly"]})
    AgentFactory.create(workspace=workspace, agent_id="idle", is_enabled=False, definition={"tools": ["fly"]})
    assert "fail: research/bad cannot run" in told("agents")
    assert "research: 1 of 2 can run" in told("agents")
    assert "idle" not in told("agents")


def test_a_credential_under_a_lost_key_is_named(db: None, settings: Settings) -> None:
    CredentialFactory.create(workspace=WorkspaceFactory.create(slug="research"), name="vendor")
    settings.MASH_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert "fail: research/vendor cannot be decrypted" in told("credentials")


def test_requests_that_stand_still_are_counted(db: None) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    AgentRequestFactory.create(accepted_at=long_ago)
    AgentRequestFactory.create()
    AgentRequestFactory.create(status=Status.RUNNING, lease_expires_at=long_ago)
    AgentRequestFactory.create(status=Status.WAITING, wait_reason="session_busy", accepted_at=long_ago)
    found = told("requests")
    assert "4 unfinished, 1 of them running" in found
    assert "warn: 1 run under a lease" in found
    assert "warn: 1 wait and nobody" in found


def test_a_data_directory_that_cannot_be_written_fails(db: None, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    settings.MASH_DATA_DIR = file / "data"
    assert "fail:" in told("data directory")


def test_debug_and_every_host_are_warned_of(db: None, settings: Settings) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS, settings.MASH_HTTPS = True, ["*"], False
    for subject in ("debug", "hosts", "https"):
        assert told(subject).startswith("warn")


def test_a_redis_that_is_gone_fails_without_its_password(db: None, settings: Settings) -> None:
    settings.MASH_REDIS_URL = "redis://:hidden@127.0.0.1:9/0"
    assert told("redis") == "fail: 127.0.0.1:9 cannot be reached (ConnectionError)"


def test_an_examination_that_breaks_is_a_finding(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("runtime.doctor.machine.metadata.version", explode)
    broken = [finding for finding in doctor.examine() if finding.subject == "machine"]
    assert [(finding.level, finding.text) for finding in broken] == [
        (Level.FAIL, "could not be examined: RuntimeError")
    ]


def test_the_database_is_described(db: None) -> None:
    vendor = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[connection.vendor]
    assert told("database").startswith(f"ok: {vendor} ")
    assert told("migrations") == "ok: all applied"


def test_bash_is_described_as_it_is(db: None, settings: Settings) -> None:
    assert told("bash") == "ok: offered to no workspace"
    settings.MASH_BASH_WORKSPACES, settings.MASH_BASH_USER = ["research"], "no-such-user"
    if os.geteuid() == 0:
        assert "fail: The server runs as root, and there is no Unix user 'no-such-user'" in told("bash")
        settings.MASH_BASH_USER = "nobody"
        assert "offered to research, as nobody" in told("bash")
    else:
        assert "warn: offered to research, and runs as the server's own user" in told("bash")


def test_folders_that_are_not_there_are_told(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.MASH_FILES_ROOT, settings.MASH_SKILLS_DIR = str(tmp_path / "files"), str(tmp_path / "skills")
    assert "MASH_FILES_ROOT names" in told("tools")
    assert "MASH_SKILLS_DIR names" in told("tools")


def test_a_tool_that_would_not_end_is_told(db: None, settings: Settings) -> None:
    number = leftovers.add("endless")
    try:
        assert "warn: endless has run on for" in told("tools")
    finally:
        leftovers.remove(number)
    assert told("tools") == ""
