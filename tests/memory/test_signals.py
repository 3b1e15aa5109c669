"""Signals of turns (contract 2.2.7, 6.6)."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.signals import Collector, list_signals, register_signal, unregister_signal
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace


@pytest.fixture
def register() -> Iterator[Any]:
    """As an app does in its `agents.py`; taken back after the test."""
    names: list[str] = []

    def add(name: str, collector: Collector, **about: Any) -> None:
        names.append(name)
        register_signal(name, collector, **about)

    yield add
    for name in names:
        unregister_signal(name)
    assert list_signals() == ["unused_tools", "unused_tool_tokens"]


@pytest.fixture
def turn(workspace: Workspace, make_agent: AgentMaker, run_requests: Driver):
    def run(message: str, **definition: Any) -> AgentRequest:
        agent = make_agent(row={"agent_id": "assistant"}, **definition)
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message=message, user="ada")
        return run_requests()[0]

    return run


def signals(client: APIClient, query: str = "") -> Any:
    return client.get(f"/api/v1/agent/assistant/sessions/s/signals{query}").json()["data"]


def test_an_apps_signal_is_in_the_answer_the_turn_and_the_list(
    turn, register: Any, api_client: APIClient, workspace: Workspace
) -> None:
    seen: list[Any] = []

    def length(event: Any) -> int:
        seen.append(event)
        return len(event["action"]["text"])

    register("length", length, value_type="integer")
    register("nothing", lambda event: None)
    register("broken", lambda event: 1 / 0)
    register("odd", lambda event: object())
    register("endless", lambda event: "x" * 20_000)
    register("passing", lambda event: True, persisted=False)
    agent_request = turn("tools=1 tool=echo say=hello")
    completed = agent_request.events.get(event_type="runtime.request.completed").payload
    kept = {"length": 5, "unused_tools": ["echo_again", "explode", "need"]}
    stored = workspace.turns.get().signals
    assert stored.pop("unused_tool_tokens") > 0
    assert stored == kept
    assert set(completed["signals"]) == {*kept, "unused_tool_tokens", "passing"}
    assert completed["signals"] == completed["response"]["signals"]
    [event] = seen
    assert set(event) == {"context", "action", "results", "tool_usage"}
    assert (event["action"], event["context"]["user"]) == ({"type": "finish", "text": "hello"}, "ada")
    assert event["tool_usage"]["echo"]["invocations"] == 1
    assert [result["is_error"] for result in event["results"]] == [False]
    answer = signals(api_client)
    assert answer["definitions"]["length"] == {
        "name": "length",
        "value_type": "integer",
        "description": "",
        "computed_at": "turn_complete",
        "persisted": True,
    }
    assert answer["definitions"]["unused_tools"]["value_type"] == "string_list"
    [row] = answer["turns"]
    assert (row["signals"]["length"], set(row)) == (5, {"turn_id", "created_at", "signals"})


def test_a_turn_that_ran_out_of_steps_has_none(turn, api_client: APIClient) -> None:
    turn("tools=9 tool=echo", max_steps=1)
    assert [row["signals"] for row in signals(api_client)["turns"]] == [{}]
    assert signals(api_client, "?limit=0")["turns"] == []
