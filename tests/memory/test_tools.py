"""Tools that read memory, called by a model in a turn (contract 5.11)."""

import json
from typing import Any

import pytest

from agents.memory.runtime_tools import RuntimeToolBuilder
from agents.memory.tools import memory_tools
from agents.models import Agent
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver, Remember
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

SEARCH, READ = "search_conversations", "get_full_turn_message"
SEARCH_EVENTS = ["parse.complete", "start", "retrieval.complete", "rerank.complete", "complete"]


@pytest.fixture
def call(workspace: Workspace, make_agent: AgentMaker, run_requests: Driver):
    """What a tool answers to the model's call, and the request in which it was made."""

    def run(tool: str, args: dict[str, Any], **fields: Any) -> tuple[Any, AgentRequest]:
        agent = workspace.agents.filter(agent_id="assistant").first() or make_agent(
            row={"agent_id": "assistant"},
            memory_tools=True,
            tools=[each.name for each in RuntimeToolBuilder().all()],
        )
        message = f"tools=1 tool={tool} args={json.dumps(args)}"
        given = {"session_id": "talk", **fields}
        AgentRequestFactory.create(workspace=workspace, agent=agent, message=message, **given)
        [agent_request] = run_requests()
        result = agent_request.events.get(event_type="runtime.tool.call.completed").payload["result"]
        content = result["content"]
        return (content if result["is_error"] else json.loads(content)), agent_request

    return run


def test_the_tools_come_after_the_agents_own(make_agent: AgentMaker, workspace: Workspace) -> None:
    from agents.build import build_agent

    plain, remembering = make_agent(), make_agent(memory_tools=True)
    names = [
        [tool.name for tool in build_agent(workspace, agent, agent.current_version).tools.list_tools()]
        for agent in (plain, remembering)
    ]
    assert names[1] == [*names[0], SEARCH, READ]
    assert [tool.name for tool in memory_tools()] == [SEARCH, READ]


def test_a_search_without_prefix_looks_at_both_sides(call, remember: Remember) -> None:
    asked, answered = remember("the invoice of march", "here"), remember("what else?", "no invoice")
    found, agent_request = call(SEARCH, {"query": "invoice"})
    assert found["effective_queries"] == ["@user: invoice", "@agent: invoice"]
    assert (found["query"], found["scope"], found["app_id"], found["session_id"], found["limit"]) == (
        "invoice",
        "session",
        "assistant",
        "talk",
        10,
    )
    assert {row["turn_id"]: row["similarity_score"] for row in found["results"]} == {asked: 0.15, answered: 0.15}
    kinds = agent_request.events.filter(event_type__startswith="memory.search.").order_by("sequence")
    assert [event.event_type for event in kinds] == [f"memory.search.{name}" for name in SEARCH_EVENTS * 2]
    payload = kinds[2].payload
    assert payload["metadata"] == {
        "keyword_hits": 1,
        "semantic_hits": 0,
        "keyword_enabled": True,
        "semantic_enabled": False,
    }
    assert (payload["level"], payload["stage"], len(payload["query_id"])) == ("INFO", "retrieval", 32)


def test_scores_of_a_prefixed_search(call, remember: Remember) -> None:
    remember("apple pie with cream and sugar")
    best = remember("apple apple")
    rows = call(SEARCH, {"query": "@user: apple", "limit": 2})[0]["results"]
    assert [round(row["similarity_score"], 9) for row in rows] == [0.15, 0.1]
    assert rows[0]["turn_id"] == best


def test_a_search_stays_with_session_agent_and_end_user(call, remember: Remember, other_workspace: Workspace) -> None:
    here, there = remember("apple", user="ada"), remember("apple", user="ada", session_id="other")
    foreign = {
        remember("apple", user="bob", session_id="bobs"),
        remember("apple", agent_id="another", user="ada"),
        remember("apple", workspace=other_workspace, user="ada"),
    }

    def found(scope: str, **fields: Any) -> set[str]:
        rows = call(SEARCH, {"query": "@user: apple", "scope": scope}, **fields)[0]["results"]
        return {row["turn_id"] for row in rows}

    assert found("session", user="ada") == {here}
    assert found("app", user="ada") & {here, there, *foreign} == {here, there}
    assert len(found("app") & foreign) == 1
    assert found("session", user="ada", session_id="bobs") == set()


def test_turns_are_read_whole_and_only_ones_own(call, remember: Remember) -> None:
    mine, bobs = remember("hello " * 100, "hi", user="ada"), remember("secret", user="bob")
    pairs = [{"session_id": "talk", "turn_id": turn_id} for turn_id in (mine, bobs, "no id")]
    pairs.append({"session_id": "wrong", "turn_id": mine})
    answer, _ = call(READ, {"pairs": pairs}, user="ada")
    assert (answer["requested_count"], answer["found_count"]) == (4, 1)
    assert answer["turns"] == [
        {"turn_id": mine, "session_id": "talk", "user_message": "hello " * 100, "agent_response": "hi"}
    ]
    assert answer["missing_pairs"] == pairs[1:]


@pytest.mark.parametrize(
    ("tool", "args", "told"),
    [
        (SEARCH, {}, "'query' is a required property"),
        (SEARCH, {"query": "@user:"}, "no word"),
        (SEARCH, {"query": "x", "scope": "world"}, "world"),
        (READ, {"pairs": []}, "pairs"),
    ],
)
def test_bad_arguments_are_told_to_the_model(call, tool: str, args: dict[str, Any], told: str) -> None:
    assert told in call(tool, args)[0]


def test_nothing_to_show_is_an_empty_list(call) -> None:
    assert call(SEARCH, {"query": "x", "limit": 0})[0]["results"] == []
    assert call("get_latest_session", {}, session_id="fresh")[0]["session_id"] == "talk"


def test_the_tools_that_an_author_chooses(call, remember: Remember) -> None:
    first, second = remember("one", "1", user="ada"), remember("two", "2", user="ada")
    remember("other", session_id="later", user="bob")
    latest = call("get_latest_session", {}, user="ada")[0]
    assert (latest["session_id"], latest["turn_count"]) == ("talk", 2)
    newest = call("get_latest_trace", {"session_id": "talk"}, user="ada")[0]
    assert newest["user_message"].startswith("tools=1 tool=get_latest_session")
    traces = call("list_recent_traces", {"limit": 10}, user="ada")[0]
    assert [row["trace_id"] for row in traces][-2:] == [second, first]
    conversation = call("get_conversation", {}, user="ada")[0]
    assert [turn["turn_id"] for turn in conversation][:2] == [first, second]


def test_code_agents_have_memory_unless_they_decline(workspace: Workspace) -> None:
    from agents.catalogue import code_definition
    from agents.host import RegisteredSpec
    from agents.llm.demo import DemoProvider
    from agents.spec import AgentConfig, AgentSpec
    from agents.tools.registry import ToolRegistry

    class Spec(AgentSpec):
        def get_agent_id(self) -> str:
            return "coded"

        def build_tools(self) -> ToolRegistry:
            return ToolRegistry()

        def build_llm(self) -> DemoProvider:
            return DemoProvider()

        def build_agent_config(self) -> AgentConfig:
            return AgentConfig(app_id="coded", system_prompt="Help.")

    class Forgetful(Spec):
        def enable_runtime_tools(self) -> bool:
            return False

    assert code_definition(RegisteredSpec(spec=Spec()), {}).memory_tools
    assert not code_definition(RegisteredSpec(spec=Forgetful()), {}).memory_tools
    assert not Agent().definition.memory_tools
