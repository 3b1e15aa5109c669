"""How long files are kept: as long as a request uses them, and a day without one."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework.test import APIClient

from benchmarks.model_server import ModelServer
from runtime.attachments import store
from runtime.sweeper import Sweeper
from tests.conftest import Driver
from tests.runtime.attachments.conftest import Submit, request_of, upload
from tests.runtime.test_silent_queue import Engine
from tests.samples import GIF, PDF, PNG, text_of
from workspaces.models import Workspace


def test_a_file_that_was_erased_is_told_as_such(
    run_requests: Driver, submit: Submit, model: ModelServer, workspace: Workspace
) -> None:
    first = request_of(workspace, submit({"name": "face.png", "data": text_of(PNG)}))
    run_requests()
    assert store.release(workspace.agent_requests.filter(pk=first.pk)) == 1
    submit(message="say=again")
    run_requests()
    sent = str(model.requests()[-1]["body"]["messages"])
    assert text_of(PNG) not in sent
    assert "[face.png (image/png, 70 bytes) came with this message and has been erased]" in sent


def test_a_file_goes_with_the_last_request_that_uses_it(
    submit: Submit, api_client: APIClient, workspace: Workspace
) -> None:
    rows = [request_of(workspace, submit({"name": "a.png", "data": text_of(PNG)})) for _ in range(2)]
    path = f"/api/v1/attachments/{rows[0].attachments[0]['attachment_id']}"
    released = [store.release(workspace.agent_requests.filter(pk=row.pk)) for row in rows]
    assert released == [0, 1]
    assert api_client.get(path).status_code == 404
    rows[0].refresh_from_db()
    assert rows[0].attachments == []


def test_uploads_that_nobody_uses_are_swept_after_a_day(
    submit: Submit, api_client: APIClient, workspace: Workspace
) -> None:
    used = upload(api_client, PNG).json()["data"]["attachment_id"]
    submit({"attachment_id": used})
    upload(api_client, PDF)
    upload(api_client, GIF)
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        upload(api_client, GIF)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert (store.sweep(), store.sweep()) == (1, 0)
    kept = set(workspace.attachments.values_list("media_type", flat=True))
    assert kept == {"image/png", "image/gif"}


def test_a_worker_sweeps_once_an_hour(
    transactional_db: None, api_client: APIClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("runtime.sweeper.time.monotonic", lambda: now)
    sweeper = Sweeper(Engine())
    upload(api_client, PNG)
    workspace.attachments.update(touched_at=timezone.now() - timedelta(days=2))
    for days in (-1, 1):
        Session.objects.create(session_key=f"ends {days}", expire_date=timezone.now() + timedelta(days=days))
    now += 3590
    sweeper._tick()
    assert workspace.attachments.exists()
    now += 20
    sweeper._tick()
    sweeper._tick()
    assert not workspace.attachments.exists()
    assert [each.session_key for each in Session.objects.all()] == ["ends 1"]


def test_files_go_with_their_workspace(submit: Submit, workspace: Workspace) -> None:
    submit({"name": "a.png", "data": text_of(PNG)})
    attachments = workspace.attachments.all()
    assert attachments.exists()
    workspace.delete()
    assert not attachments.exists()
