"""mash_rebuild: nothing differs after honest work, every kind of damage is found, and what can be is set right."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from agents.models import Agent
from runtime.kinds import EventKind, Status
from runtime.models import AgentRequest, Interaction
from tests.commands.conftest import Said
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.runtime.test_delegation import ABOUT, delegating
from workspaces.models import Workspace

Run = Callable[..., Said]
Damage = Callable[[AgentRequest], Any]


@pytest.fixture
def ended(workspace: Workspace, agent: Agent, run_requests: Driver) -> AgentRequest:
    AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="s", message="tools=1 tool=echo say=hi")
    return run_requests()[0]


def row(agent_request: AgentRequest) -> Any:
    return agent_request.workspace.agent_requests.filter(pk=agent_request.pk)


def check(run: Run, *arguments: str) -> tuple[int, list[str]]:
    said = run("mash_rebuild", "--check", "--json", *arguments)
    return said.code, json.loads(said.out)["differences"]


def test_nothing_differs_after_honest_work(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, run: Run
) -> None:
    make_agent(row={"agent_id": "research"}, display_name="Research", **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    for message in (delegating(("research", "tools=1 tool=echo say=found")), "say=hi", "fail=400", "tools=2 tool=echo"):
        AgentRequestFactory.create(workspace=workspace, agent=primary, session_id="s", message=message)
    run_requests()
    AgentRequestFactory.create(workspace=workspace, agent=primary, session_id="t", message="not begun")
    said = run("mash_rebuild", "--check")
    assert said.code == 0, said.out
    assert "6 requests (1 unfinished)" in said.out
    assert "nothing differs" in said.out


ROW_DAMAGE: dict[str, tuple[Damage, str]] = {
    "status": (lambda r: row(r).update(status=Status.FAILED), "status is failed, the log says completed"),
    "unfinished": (
        lambda r: row(r).update(status=Status.ACCEPTED, finished_at=None),
        "status is accepted, the log says completed",
    ),
    "reason": (lambda r: row(r).update(reason="max_steps"), "reason is max_steps, the log says end_turn"),
    "error": (lambda r: row(r).update(error={"error": "x"}), "error is {'error': 'x'}, the log says empty"),
    "head": (lambda r: row(r).update(last_sequence=99), "last_sequence is 99"),
    "run": (lambda r: row(r).update(run=2), "run is 2, the log says 1"),
    "tokens": (lambda r: row(r).update(input_tokens=F("input_tokens") + 1), "input_tokens is"),
    "cost": (lambda r: row(r).update(cost_usd=0), "cost_usd is 0"),
    "price": (lambda r: row(r).update(has_unknown_price=True), "has_unknown_price is True, the log says False"),
    "calls": (lambda r: row(r).update(model_calls=0), "model_calls is 0, the log says 2"),
    "trace": (lambda r: row(r).update(trace_id=r.request_id), "trace_id is"),
    "lease": (lambda r: row(r).update(lease_owner="a:b:1:2"), "lease_owner is a:b:1:2, the log says empty"),
    "accepted": (lambda r: row(r).update(accepted_at="2026-01-01T00:00:00Z"), "accepted_at is 2026-01-01"),
    "finished": (lambda r: row(r).update(finished_at="2026-01-01T00:00:00Z"), "finished_at is 2026-01-01"),
    "session": (lambda r: r.workspace.sessions.update(total_tokens=7), "total_tokens is 7, its turns say"),
    "count": (lambda r: r.workspace.sessions.update(turn_count=7), "turn_count is 7, its turns say 1"),
    "usage": (lambda r: r.workspace.daily_usage.update(input_tokens=F("input_tokens") + 5), "input_tokens -5"),
    "usage gone": (lambda r: r.workspace.daily_usage.all().delete(), "the log has more by model_calls +2"),
    "usage moved": (lambda r: r.workspace.daily_usage.update(model="x"), "the log has more by model_calls -2"),
}


@pytest.mark.parametrize("damage", ROW_DAMAGE)
def test_a_wrong_row_is_found_and_set_right(run: Run, ended: AgentRequest, damage: str) -> None:
    act, text = ROW_DAMAGE[damage]
    before = row(ended).values().get()
    act(ended)
    code, found = check(run)
    assert code == 1
    assert any(text in line for line in found), found
    said = run("mash_rebuild")
    assert (said.code, "(set right)" in said.out) == (0, True), said.out
    assert check(run) == (0, [])
    after = row(ended).values().get()
    moments = {"accepted_at", "finished_at"} if damage in {"accepted", "finished", "unfinished"} else set()
    assert {name for name in before if before[name] != after[name]} <= moments


LOG_DAMAGE: dict[str, tuple[Damage, str]] = {
    "a gap": (lambda r: r.events.filter(sequence=5).delete(), "sequence 6 stands where 5 belongs"),
    "no end": (
        lambda r: r.events.filter(event_type=EventKind.REQUEST_COMPLETED).delete(),
        "status is completed, the log has no end",
    ),
    "after the end": (
        lambda r: r.workspace.events.create(
            agent_request=r,
            sequence=r.last_sequence + 1,
            agent_name=r.agent.agent_id,
            session_id=r.session_id,
            event_type=EventKind.CONTEXT_LOADED,
            created_at=timezone.now(),
        ),
        "follows the end of its run",
    ),
    "two ends": (
        lambda r: r.events.filter(event_type=EventKind.AGENT_RUN_COMPLETE).update(
            event_type=EventKind.REQUEST_COMPLETED
        ),
        "runtime.request.completed at",
    ),
    "no beginning": (lambda r: r.events.filter(sequence=1).update(event_type="x"), "x at 1, where it does not belong"),
    "no log": (lambda r: r.events.all().delete(), "the log is empty"),
    "no turn": (lambda r: r.workspace.turns.all().delete(), "its turn is not in memory"),
    "a turn's count": (lambda r: r.workspace.turns.update(session_total_tokens=1), "counts 1 tokens"),
    "a question": (
        lambda r: r.interactions.create(
            workspace=r.workspace,
            run=1,
            loop_index=0,
            call_id="c",
            kind=Interaction.Kind.INFO,
            prompt="?",
            deadline=timezone.now(),
            created_at=timezone.now(),
        ),
        "is not in the log",
    ),
}


@pytest.mark.parametrize("damage", LOG_DAMAGE)
def test_a_broken_log_is_found_and_left_to_a_person(run: Run, ended: AgentRequest, damage: str) -> None:
    act, text = LOG_DAMAGE[damage]
    act(ended)
    code, found = check(run)
    assert code == 1
    assert any(text in line for line in found), found
    said = run("mash_rebuild")
    assert (said.code, "(not set right)" in said.out) == (1, True)


def test_a_child_that_its_parent_does_not_know_of_is_found(
    workspace: Workspace, make_agent: AgentMaker, run_requests: Driver, run: Run
) -> None:
    make_agent(row={"agent_id": "research"}, display_name="Research", **ABOUT)
    primary = make_agent(row={"agent_id": "primary", "role": Agent.Role.PRIMARY})
    parent = AgentRequestFactory.create(
        workspace=workspace, agent=primary, session_id="s", message=delegating(("research", "say=found"))
    )
    run_requests()
    parent.children.update(parent_call="0.other")
    assert any("does not say how its child" in line for line in check(run)[1])


def test_it_looks_only_where_it_is_told(
    run: Run, ended: AgentRequest, other_workspace: Workspace, workspace: Workspace
) -> None:
    row(ended).update(reason="max_steps")
    workspace.daily_usage.all().delete()
    assert check(run, "--workspace", other_workspace.slug) == (0, [])
    assert check(run, "--since", "2100-01-01")[0] == 0
    code, found = check(run, "--request", str(ended.request_id))
    assert (code, len(found)) == (1, 1)
    assert run("mash_rebuild", "--request", str(ended.request_id)).code == 0
    assert len(check(run, "--workspace", workspace.slug)[1]) == 1
    assert run("mash_rebuild", "--check", "--workspace", "nowhere").code != 0
    assert run("mash_rebuild", "--check", "--request", str(other_workspace.host_id)).code != 0


def test_erased_payloads_are_no_differences(run: Run, ended: AgentRequest, workspace: Workspace) -> None:
    ended.events.update(payload={})
    workspace.sessions.all().delete()
    assert check(run) == (0, [])
