"""Images and PDFs are taken by their content, stored once, and handed back safely."""

import json
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from agents.models import Agent
from tests.conftest import client_with
from tests.runtime.attachments.conftest import Submit, request_of, upload
from tests.runtime.test_concurrency import at_once
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


def test_uploads_at_once_do_not_exceed_the_quota(transactional_db: None, workspace: Workspace, token: str) -> None:
    type(workspace).objects.filter(pk=workspace.pk).update(max_attachment_megabytes=1)
    answers = at_once(lambda number: upload(client_with(token), png_of(600_000 + number)).status_code, 4)
    assert sorted(answers) == [200, 413, 413, 413]


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
