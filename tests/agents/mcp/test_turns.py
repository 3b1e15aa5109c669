"""A whole turn with a real server: listed, named, called, told in the log."""

import threading
import time

import pytest
from django.db import connection

from agents.mcp import manager as manager_module
from agents.stop_signal import StopSignal
from benchmarks.model_server import ModelServer
from runtime import lease
from runtime.claim import claim
from runtime.execute import execute_request
from runtime.interactions.answer import answer_interaction
from tests.agents.mcp.conftest import Asker, make_server_row, result_of, told
from tests.agents.mcp.server import CANCELLED, HttpServer, add_growth, add_questions, make_server, serving
from tests.conftest import AgentMaker
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

SECRET = "Bearer sesame-0123456789"
CONNECTED = ["mcp.client.connect", "mcp.client.connected"]
CALLED = ["mcp.tool.call", "mcp.tool.result"]


@pytest.mark.parametrize("is_old", [False, True])
def test_a_tool_of_a_server_is_called_and_told(ask: Asker, workspace: Workspace, model: ModelServer, is_old: bool):
    with serving(is_old=is_old) as http:
        make_server_row(workspace, http)
        agent_request = ask("mcp_demo_echo", text="hello there")
    assert agent_request.status == "completed"
    assert result_of(agent_request)["content"] == "hello there"
    assert told(agent_request) == CONNECTED + CALLED
    offered = {tool["name"]: tool for tool in model.requests()[0]["body"]["tools"]}
    assert offered["mcp_demo_echo"]["input_schema"]["properties"]["text"]["type"] == "string"
    assert offered["mcp_demo_echo"]["description"] == "Give the text back."


def test_the_connection_and_the_listing_are_kept_between_requests(ask: Asker, workspace: Workspace, http: HttpServer):
    make_server_row(workspace, http)
    ask("mcp_demo_echo", text="one")
    asked = [headers.get("mcp-method") for headers in http.headers]
    second = ask("mcp_demo_echo", text="two")
    assert told(second) == CALLED
    assert asked.count("tools/list") == 1
    assert [headers["mcp-method"] for headers in http.headers[len(asked) :]] == ["tools/call"]


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("fail", {"text": "no"}, "Error executing tool fail"),
        ("huge", {"size": 5_000_000}, "larger than 4194304 bytes"),
        ("echo", {"wrong": 1}, "text"),
    ],
)
def test_a_failure_is_an_error_result(ask: Asker, workspace: Workspace, http: HttpServer, tool, arguments, text):
    make_server_row(workspace, http)
    agent_request = ask(f"mcp_demo_{tool}", **arguments)
    result = result_of(agent_request)
    assert (result["is_error"], agent_request.status) == (True, "completed")
    assert text in result["content"]
    assert told(agent_request)[-1] == "mcp.tool.error"


def test_a_long_answer_is_cut_and_a_picture_is_named(ask: Asker, workspace: Workspace, http: HttpServer):
    make_server_row(workspace, http)
    assert 65_000 < len(result_of(ask("mcp_demo_huge", size=1_000_000))["content"]) < 70_000
    assert result_of(ask("mcp_demo_picture"))["content"] == "[image, image/png: not shown]"


def test_a_slow_server_is_given_up(ask: Asker, workspace: Workspace, http: HttpServer):
    make_server_row(workspace, http, timeout_s=1)
    CANCELLED.clear()
    began = time.monotonic()
    result = result_of(ask("mcp_demo_sleep", seconds=20))
    assert (result["is_error"], result["content"]) == (True, "The server did not answer within 1 seconds.")
    assert time.monotonic() - began < 10
    assert CANCELLED.wait(5), "The server is told that nobody waits any more."
    assert result_of(ask("mcp_demo_echo", text="again"))["content"] == "again"


@pytest.mark.parametrize("is_old", [False, True])
def test_a_stopped_request_ends_its_call(workspace: Workspace, make_agent: AgentMaker, transactional_db, is_old: bool):
    with serving(is_old=is_old) as http:
        make_server_row(workspace, http)
        CANCELLED.clear()
        message = 'tools=1 tool=mcp_demo_sleep args={"seconds": 30}'
        agent_request = AgentRequestFactory.create(
            workspace=workspace, agent=make_agent(mcp_servers=("demo",)), message=message
        )
        claimed, stop = claim(agent_request.pk, lease.new_owner()), StopSignal()
        timer = threading.Timer(2, stop.set, ("cancelled",))
        timer.start()
        began = time.monotonic()
        execute_request(claimed, should_stop=lambda: False, stop=stop)
        assert time.monotonic() - began < 15
        assert CANCELLED.wait(5), "The server learns that its work is not wanted."
        timer.join()


def test_a_server_that_is_down_costs_only_its_own_tools(
    ask: Asker, workspace: Workspace, http: HttpServer, model: ModelServer, monkeypatch
):
    monkeypatch.setattr(manager_module, "_FIRST_PAUSE_S", 0.2)
    other = HttpServer()
    make_server_row(workspace, http)
    make_server_row(workspace, other, name="other")
    servers = ("other", "demo", "missing")
    first = ask("mcp_demo_echo", servers, text="one")
    assert result_of(first)["content"] == "one"
    errors = first.events.filter(event_type="mcp.client.error").order_by("sequence")
    assert [(event.payload["server_name"], event.payload["error"]) for event in errors] == [
        ("missing", "This workspace has no such server."),
        ("other", "The server cannot be reached."),
    ]
    assert "mcp_other_echo" not in str(model.requests()[0]["body"]["tools"])
    other.start()
    time.sleep(0.3)
    assert result_of(ask("mcp_other_echo", servers, text="two"))["content"] == "two"
    other.stop()


def test_a_lost_session_is_made_again(ask: Asker, workspace: Workspace):
    with serving(is_old=True) as http:
        make_server_row(workspace, http)
        ask("mcp_demo_echo", text="one")
        http.stop()
        http.start()
        agent_request = ask("mcp_demo_echo", text="two")
    assert result_of(agent_request)["content"] == "two"
    assert told(agent_request) == ["mcp.tool.call", "mcp.client.disconnect", *CONNECTED, "mcp.tool.result"]


@pytest.mark.parametrize("is_old", [False, True])
def test_a_changed_listing_is_read_again(ask: Asker, workspace: Workspace, model: ModelServer, is_old: bool):
    server = make_server()
    add_growth(server)
    with serving(server, is_old=is_old) as http:
        make_server_row(workspace, http)
        ask("mcp_demo_grow")
        time.sleep(0.5)
        assert result_of(ask("mcp_demo_late"))["content"] == "I am new"


def test_two_workspaces_share_nothing(
    ask: Asker, workspace: Workspace, other_workspace: Workspace, http: HttpServer, make_agent: AgentMaker, run_requests
):
    make_server_row(workspace, http).keep_secrets(headers={}, env={})
    row = make_server_row(other_workspace, http)
    row.keep_secrets(headers={"Authorization": SECRET}, env={})
    row.save()
    assert result_of(ask("mcp_demo_echo", text="one"))["content"] == "one"
    assert not any("authorization" in headers for headers in http.headers)
    assert not row.pins.exists()
    stranger = ask("mcp_other_echo", text="two")
    assert "There is no tool" in str(result_of(stranger)["content"])


def test_secrets_are_in_no_event(ask: Asker, workspace: Workspace, http: HttpServer):
    row = make_server_row(workspace, http)
    row.url = f"{http.url}?key=query-secret-123"
    row.keep_secrets(headers={"Authorization": SECRET}, env={})
    row.save()
    agent_request = ask("mcp_demo_echo", text=f"it is {SECRET}")
    assert {headers["authorization"] for headers in http.headers} == {SECRET}
    assert result_of(agent_request)["content"] == "it is [secret]"
    http.refuse_with = 401
    refused = ask("mcp_demo_echo", text="more")
    assert "HTTP 401" in result_of(refused)["content"]
    row.url = "http://127.0.0.1:9/path-secret-0123456789/mcp"
    row.save()
    down = ask("mcp_demo_echo", text="more")
    assert "mcp.client.error" in told(down)
    log = str([event.payload for event in workspace.events.all() if event.event_type.startswith("mcp.")])
    assert not [secret for secret in ("sesame", "query-secret", "path-secret") if secret in log]


def test_hints_only_make_a_tool_more_careful(ask: Asker, workspace: Workspace, http: HttpServer):
    make_server_row(workspace, http)
    agent_request = ask("mcp_demo_wipe")
    assert agent_request.status == "paused", "It says of itself that it destroys, so a person is asked."
    assert agent_request.interactions.get().kind == "approval"


def test_questions_are_refused_unless_the_server_may_ask(ask: Asker, workspace: Workspace):
    server = make_server()
    add_questions(server)
    with serving(server) as http:
        make_server_row(workspace, http)
        for tool, arguments in (("who", {}), ("think", {"question": "Why?"})):
            assert result_of(ask(f"mcp_demo_{tool}", **arguments))["is_error"]
    assert not workspace.interactions.exists()


@pytest.mark.parametrize("is_old", [False, True])
def test_an_allowed_question_reaches_a_person(ask: Asker, workspace: Workspace, is_old: bool):
    server = make_server()
    add_questions(server)
    with serving(server, is_old=is_old) as http:
        make_server_row(workspace, http, allow_elicitation=True)
        answering = threading.Thread(target=answer_question, args=(workspace.pk, {"name": "Ada"}))
        answering.start()
        result = result_of(ask("mcp_demo_who"))
        answering.join()
    assert (result["content"], result["is_error"]) == ("Ada", False)


@pytest.mark.parametrize("is_old", [False, True])
def test_an_allowed_question_reaches_the_agents_model(
    ask: Asker, workspace: Workspace, model: ModelServer, is_old: bool
):
    server = make_server()
    add_questions(server)
    with serving(server, is_old=is_old) as http:
        make_server_row(workspace, http, allow_sampling=True)
        agent_request = ask("mcp_demo_think", question="say=because")
    assert result_of(agent_request)["content"] == "claude-haiku-4-5-20251001: because"
    assert [request["body"]["max_tokens"] for request in model.requests()] == [4096, 4096, 4096]
    sampled = agent_request.events.get(event_type="mcp.sampling.complete").payload
    assert (sampled["model"], sampled["server_name"]) == ("claude-haiku-4-5-20251001", "demo")
    assert sampled["cost_usd"] > 0
    agent_request.refresh_from_db()
    assert agent_request.model_calls == 3


def answer_question(workspace_pk: int, response: object) -> None:
    """As a person would, from another process."""
    workspace = Workspace.objects.get(pk=workspace_pk)
    for _ in range(100):
        if (interaction := workspace.interactions.filter(state="open").first()) is not None:
            answer_interaction(interaction.agent_request, interaction.interaction_id, response, by="tests")
            break
        time.sleep(0.1)
    connection.close()
