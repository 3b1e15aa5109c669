"""Files in messages: the model sees them, and the log, the turns and the requests hold references."""

from rest_framework.test import APIClient

from benchmarks.model_server import ModelServer
from runtime.attachments import store
from tests.conftest import AgentMaker, Driver
from tests.runtime.attachments.conftest import Submit, request_of, upload
from tests.samples import GIF, PDF, PNG, png_of, text_of
from workspaces.models import Workspace

MEGABYTE = 1024 * 1024


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
