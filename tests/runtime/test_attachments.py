"""Images and PDFs in messages: taken by content, stored once, shown to the model, handed back safely, removed with their use."""

import json
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from agents.models import Agent
from benchmarks.model_server import ModelServer
from runtime.attachments import store
from runtime.models import AgentRequest
from runtime.sweeper import Sweeper
from tests.conftest import AgentMaker, Driver, client_with
from tests.runtime.test_concurrency import at_once
from tests.runtime.test_silent_queue import Engine
from tests.samples import GIF, JPEG, PDF, PNG, REFUSED, WEBP, png_of, text_of
from tests.web import Web
from workspaces.models import Workspace

MEGABYTE = 1024 * 1024
KINDS = [
    (PNG, "image/png", ".png"),
    (GIF, "image/gif", ".gif"),
    (JPEG, "image/jpeg", ".jpg"),
    (WEBP, "image/webp", ".webp"),
    (PDF, "application/pdf", ".pdf"),
]
Submit = Callable[..., Any]


def upload(client: APIClient, content: bytes, name: str = "file") -> Any:
    return client.post("/api/v1/attachments", {"name": name, "data": text_of(content)}, "json")


@pytest.fixture
def submit(api_client: APIClient, agent: Agent) -> Submit:
    def submit(*attachments: dict[str, object], message: str = "say=seen", **headers: str) -> Any:
        body = {"message": message, "session_id": "s", "attachments": attachments}
        return api_client.post(f"/api/v1/agent/{agent.agent_id}/request", body, "json", headers=headers)

    return submit


def request_of(workspace: Workspace, answer: Any) -> AgentRequest:
    assert answer.status_code == 200, answer.content
    return workspace.agent_requests.get(request_id=answer.json()["data"]["request_id"])


@pytest.mark.parametrize(("content", "media_type", "ending"), KINDS)
def test_a_file_is_what_its_content_says_and_comes_back_safely(
    api_client: APIClient, content: bytes, media_type: str, ending: str
) -> None:
    file = SimpleUploadedFile("../evil.html", content, content_type="text/html")
    stored = api_client.post("/api/v1/attachments", {"file": file}, "multipart").json()["data"]
    assert (stored["media_type"], stored["size"], stored["name"]) == (media_type, len(content), f"evil.html{ending}")
    answer = api_client.get(
        f"/api/v1/attachments/{stored['attachment_id']}?name=Pr%C3%BCfung%0A.html", headers={"Accept": media_type}
    )
    assert (answer.status_code, answer.content) == (200, content)
    assert answer["Content-Type"] == media_type
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"].startswith("private")
    assert answer["Content-Disposition"] == f"attachment; filename*=utf-8''Pr%C3%BCfung_.html{ending}"


@pytest.mark.parametrize("kind", REFUSED)
def test_anything_else_is_refused_with_the_field(api_client: APIClient, submit: Submit, kind: str) -> None:
    content = REFUSED[kind]
    places = [["body", "data"], ["body", "file"], ["body", "attachments", "1", "data"]]
    file = SimpleUploadedFile("a.png", content, content_type="image/png")
    answers = [
        upload(api_client, content, "a.png"),
        api_client.post("/api/v1/attachments", {"file": file}, "multipart"),
        submit({"name": "good.png", "data": text_of(PNG)}, {"name": "a.png", "data": text_of(content)}),
    ]
    for answer, place in zip(answers, places, strict=True):
        assert answer.status_code == 422
        assert answer.json()["error"]["details"]["errors"][0]["loc"] == place


def test_the_same_content_is_stored_once_per_workspace(
    api_client: APIClient, stranger_client: APIClient, submit: Submit, workspace: Workspace
) -> None:
    first, again = (upload(api_client, PNG, name).json()["data"] for name in ("a.png", "b.png"))
    assert (first["attachment_id"], first["sha256"]) == (again["attachment_id"], again["sha256"])
    assert (first["name"], again["name"]) == ("a.png", "b.png")
    agent_request = request_of(workspace, submit({"name": "c.png", "data": text_of(PNG)}))
    assert agent_request.attachments[0]["attachment_id"] == first["attachment_id"]
    assert workspace.attachments.count() == 1
    assert upload(stranger_client, PNG).json()["data"]["attachment_id"] != first["attachment_id"]


def test_the_same_content_at_the_same_moment_is_stored_once(
    transactional_db: None, token: str, workspace: Workspace
) -> None:
    stored = at_once(lambda _: upload(client_with(token), PNG).json()["data"]["attachment_id"])
    assert len(set(stored)) == 1
    assert workspace.attachments.count() == 1


def test_a_form_that_is_none_is_refused(api_client: APIClient) -> None:
    files = {f"file{number}": SimpleUploadedFile("a.png", PNG) for number in range(200)}
    statuses = [
        api_client.post("/api/v1/attachments", files, "multipart").status_code,
        api_client.post("/api/v1/attachments", {}, "multipart").status_code,
        api_client.post("/api/v1/attachments", {"file": "text"}, "multipart").status_code,
        api_client.generic("POST", "/api/v1/attachments", b"x", "multipart/form-data").status_code,
        api_client.generic("POST", "/api/v1/attachments", PNG, "image/png").status_code,
    ]
    assert statuses == [400, 422, 422, 400, 415]


def test_another_workspaces_attachment_is_none(
    api_client: APIClient, stranger_client: APIClient, submit: Submit
) -> None:
    foreign = upload(stranger_client, PNG).json()["data"]["attachment_id"]
    for attachment_id in (foreign, str(uuid.uuid4())):
        answer = api_client.get(f"/api/v1/attachments/{attachment_id}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ATTACHMENT_NOT_FOUND")
        answer = submit({"attachment_id": attachment_id})
        assert answer.status_code == 422
        assert answer.json()["error"]["details"]["errors"][0]["loc"] == ["body", "attachments", "0", "attachment_id"]


def test_sizes_are_bounded(web: Web, submit: Submit, agent: Agent) -> None:
    largest, larger = png_of(10 * MEGABYTE), png_of(10 * MEGABYTE + 1)
    assert web.post("/api/v1/attachments", {"name": "a", "data": text_of(largest)}).status == 200
    for content in (json.dumps({"name": "a", "data": text_of(larger)}).encode(), b"x" * (16 * MEGABYTE)):
        answer = web.post("/api/v1/attachments", content)
        assert (answer.status, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    path = f"/api/v1/agent/{agent.agent_id}/request"
    ten = [{"name": "a", "data": text_of(png_of(10 * MEGABYTE - n))} for n in range(2)]
    body = {"message": "say=x", "session_id": "s", "attachments": ten}
    assert web.post(path, body).status == 200
    answer = web.post(path, {**body, "attachments": [*ten, {"name": "b", "data": text_of(PNG)}]})
    assert (answer.status, answer.json()["error"]["details"]["loc"]) == (413, ["body", "attachments"])
    assert web.post("/api/v1/agent/nobody/request/other", b"x" * (2 * MEGABYTE)).status == 413
    assert submit(*[{"name": "a", "data": text_of(PNG)}] * 6).status_code == 422


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"name": "a.png"},
        {"attachment_id": str(uuid.uuid4()), "data": "AAAA"},
        {"attachment_id": "7"},
        {"name": "a", "data": "no base64!"},
        {"name": "a", "data": 7},
        {"name": "a\x00", "data": "AAAA"},
        {"name": "a", "data": "AAAA", "url": "http://example.com"},
        "text",
    ],
)
def test_an_entry_that_makes_no_sense_is_named(submit: Submit, entry: Any) -> None:
    answer = submit(entry)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["errors"][0]["loc"][:3] == ["body", "attachments", "0"]


def test_the_workspaces_quota_holds(api_client: APIClient, workspace: Workspace) -> None:
    type(workspace).objects.filter(pk=workspace.pk).update(max_attachment_megabytes=1)
    assert upload(api_client, png_of(MEGABYTE)).status_code == 200
    assert upload(api_client, png_of(MEGABYTE)).status_code == 200, "It is stored already."
    answer = upload(api_client, PNG)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "ATTACHMENT_QUOTA_REACHED")


def test_the_model_sees_the_files_and_the_log_does_not(
    run_requests: Driver, submit: Submit, api_client: APIClient, workspace: Workspace, model: ModelServer
) -> None:
    uploaded = upload(api_client, PDF, "invoice.pdf").json()["data"]
    answer = submit(
        {"attachment_id": uploaded["attachment_id"], "name": "June.pdf"}, {"name": "p.png", "data": text_of(PNG)}
    )
    agent_request = request_of(workspace, answer)
    run_requests()
    sent = str(model.requests()[-1]["body"]["messages"][-1])
    assert sent.index(text_of(PDF)) < sent.index("p.png") < sent.index(text_of(PNG)) < sent.index("say=seen")
    references = [
        {
            "attachment_id": uploaded["attachment_id"],
            "name": "June.pdf",
            "media_type": "application/pdf",
            "size": len(PDF),
        },
        {**agent_request.attachments[1], "name": "p.png", "media_type": "image/png", "size": len(PNG)},
    ]
    log = {event.event_type: event.payload for event in agent_request.events.all()}
    assert log["runtime.request.accepted"]["attachments"] == references
    assert log["runtime.request.completed"]["response"]["metadata"]["attachments"] == references
    assert text_of(PDF) not in str(log)
    history = api_client.get(f"/api/v1/agent/{agent_request.agent.agent_id}/sessions/s/history").json()["data"]["turns"]
    assert history[0]["metadata"]["attachments"] == references
    row = api_client.get(f"/api/v1/agent/{agent_request.agent.agent_id}/request/{agent_request.request_id}")
    assert row.json()["data"]["attachments"] == references


def test_of_earlier_turns_the_newest_files_are_shown_again_and_others_named(
    run_requests: Driver, submit: Submit, model: ModelServer
) -> None:
    """Ten megabytes and five files at most; what came with the new message takes its room first."""
    contents = [png_of(size) for size in (4 * MEGABYTE, 5 * MEGABYTE, 3 * MEGABYTE, 2 * MEGABYTE)]
    for number, content in enumerate(contents):
        assert submit({"name": f"{number}.png", "data": text_of(content)}).status_code == 200
    run_requests()
    sent = str(model.requests()[-1]["body"]["messages"])
    shown = [text_of(content) in sent for content in contents]
    assert shown == [False, True, True, True]
    assert "[0.png (image/png, 4194304 bytes) came with this message and is not shown again]" in sent


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
    now += 3599
    sweeper._tick()
    assert workspace.attachments.exists()
    now += 1
    sweeper._tick()
    assert not workspace.attachments.exists()


def test_files_go_with_their_workspace(submit: Submit, workspace: Workspace) -> None:
    submit({"name": "a.png", "data": text_of(PNG)})
    attachments = workspace.attachments.all()
    assert attachments.exists()
    workspace.delete()
    assert not attachments.exists()


def test_a_rerun_brings_the_files_again(submit: Submit, api_client: APIClient, workspace: Workspace) -> None:
    first = request_of(workspace, submit({"name": "a.png", "data": text_of(PNG)}))
    path = f"/api/v1/agent/{first.agent.agent_id}/request/{first.request_id}"
    api_client.post(f"{path}/cancel")
    again = request_of(workspace, api_client.post(f"{path}/rerun"))
    assert again.attachments == first.attachments
    assert store.release(workspace.agent_requests.filter(pk=first.pk)) == 0


def test_a_key_covers_the_files_too(submit: Submit) -> None:
    entry = {"name": "a.png", "data": text_of(PNG)}
    first, again = (submit(entry, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == again.json()
    assert submit({**entry, "data": text_of(GIF)}, **{"Idempotency-Key": "k"}).status_code == 422


def test_a_plain_message_is_accepted_as_before(
    run_requests: Driver, make_agent: AgentMaker, workspace: Workspace, api_client: APIClient
) -> None:
    """The accepted event of a plain message has no key more than before."""
    agent = make_agent()
    answer = api_client.post(f"/api/v1/agent/{agent.agent_id}/request", {"message": "say=x", "session_id": "s"}, "json")
    agent_request = request_of(workspace, answer)
    accepted = agent_request.events.get(sequence=1).payload
    assert set(accepted) == {"workflow_id", "message", "initial_session_id", "request_metadata"}
