"""mash_seed_demo: what it writes is what the runtime would have written."""

import json
from collections import defaultdict
from collections.abc import Callable

import pytest

from agents.models import Agent
from runtime.cancel import cancel_request
from runtime.interactions.answer import answer_interaction
from runtime.kinds import EventKind, Reason, Status
from runtime.models import AgentRequest, RuntimeEvent
from runtime.resume import resume_request
from tests.commands.conftest import Said
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory, CredentialFactory
from tests.runtime.test_delegation import ABOUT, delegating
from tests.runtime.test_fallback import NOBODY
from workspaces.models import Workspace

Run = Callable[..., Said]
_NESTED = ("payload", "usage", "token_usage", "result", "response", "response_metadata")


@pytest.fixture
def seeded(run: Run) -> Workspace:
    said = run("mash_seed_demo", "--requests", "400", "--small", "--seed", "7")
    assert said.code == 0, said.err
    return Workspace.objects.get(slug="demo")


def test_nothing_differs_from_the_log(seeded: Workspace, run: Run) -> None:
    said = run("mash_rebuild", "--check", "--workspace", "demo")
    assert said.code == 0, said.out
    assert said.out.startswith("400 requests (11 unfinished)")
    assert set(seeded.agent_requests.values_list("status", flat=True)) == set(Status)
    asked = seeded.interactions.values_list("state", flat=True)
    assert {"open", "answered", "expired"} <= set(asked)


def test_it_is_in_the_order_of_time_and_searchable(seeded: Workspace) -> None:
    for rows, moment in (
        (seeded.agent_requests, "accepted_at"),
        (seeded.events, "created_at"),
        (seeded.turns, "created_at"),
    ):
        moments = list(rows.order_by("pk").values_list(moment, flat=True))
        assert moments == sorted(moments)
    assert seeded.search_entries.count() == seeded.turns.count()


def test_rows_refer_to_each_other(seeded: Workspace) -> None:
    children = seeded.agent_requests.filter(depth__gt=0).select_related("parent")
    assert children
    for child in children:
        assert child.parent
        told = child.parent.events.filter(event_type__startswith="subagent.", payload__request_id=str(child.request_id))
        first = told.order_by("sequence")[0].payload["child_event_id"]
        assert child.events.get(sequence=1).pk == first
    assert seeded.agent_requests.filter(rerun_of__isnull=False).exists()


def test_a_second_history_is_asked_for_twice_and_fits_beside_the_first(run: Run) -> None:
    assert run("mash_seed_demo", "--requests", "30").code == 0
    refused = run("mash_seed_demo", "--requests", "30")
    assert (refused.code, "--yes" in refused.err) == (1, True)
    assert run("mash_seed_demo", "--requests", "30", "--yes").code == 0
    assert run("mash_rebuild", "--check").out.startswith("60 requests")
    assert run("mash_seed_demo", "--requests", "0").code == 2


def test_events_look_like_those_of_requests_that_ran(
    seeded: Workspace,
    workspace: Workspace,
    make_agent: AgentMaker,
    fallback: dict[str, str],
    run_requests: Driver,
    run_once: Stepper,
) -> None:
    demo, plain = _shapes(seeded), _kinds(_plain(seeded))
    _run_some_of_everything(workspace, make_agent, fallback, run_requests, run_once)
    real = _shapes(workspace)
    # What needs a crash or a limit to happen, and ends that no code path comes to yet.
    unreal = {EventKind.REQUEST_RECOVERED, EventKind.COMPACTION_FAILED}
    assert set(demo) - set(real) <= unreal
    unlike = {kind: demo[kind] - real[kind] for kind in set(demo) & set(real) if demo[kind] - real[kind]}
    assert not unlike, f"The runtime writes { ({kind: real[kind] for kind in unlike}) }"
    assert plain == _kinds(_plain(workspace))


def _run_some_of_everything(
    workspace: Workspace, make_agent: AgentMaker, fallback: dict[str, str], run_requests: Driver, run_once: Stepper
) -> None:
    make_agent(row={"agent_id": "research"}, display_name="Research", **ABOUT)
    primary = make_agent(
        row={"agent_id": "primary", "role": Agent.Role.PRIMARY},
        tools=("echo", "guarded", "AskUser"),
        subagents=["research"],
    )
    CredentialFactory.create(workspace=workspace, name="down", base_url=NOBODY)
    again = make_agent(compaction_token_threshold=1)
    sent = [
        (primary, "say=hello"),
        (primary, "tools=1 tool=echo say=hi"),
        (primary, "fail=unknown_tool tool=echo say=hi"),
        (primary, delegating(("research", "say=found"))),
        (primary, delegating(("research", "fail=400"))),
        (primary, "fail=400"),
        (primary, "fail=429:1 retry_after=0 say=ok"),
        (make_agent(credential="down", **fallback), "say=rescued"),
        (make_agent(credential="nobody's"), "say=never"),
        (again, "say=one"),
    ]
    for number, (agent, message) in enumerate(sent):
        AgentRequestFactory.create(workspace=workspace, agent=agent, message=message, session_id=f"s-{number}")
    run_requests()
    AgentRequestFactory.create(workspace=workspace, agent=again, message="say=two", session_id="s-9")
    schema = {"type": "object", "required": ["a"]}
    AgentRequestFactory.create(workspace=workspace, agent=primary, message='say={"a":1}', structured_output=schema)
    AgentRequestFactory.create(
        workspace=workspace, agent=primary, message="tools=9 tool=echo", limits={"max_steps": 1}, session_id="steps"
    )
    failed, *_ = workspace.agent_requests.filter(message="fail=400", parent=None)
    resume_request(failed, by="tests")
    run_requests()
    _ask_and_be_cancelled(workspace, primary, run_once)


def _ask_and_be_cancelled(workspace: Workspace, primary: Agent, run_once: Stepper) -> None:
    for word, response in (('guarded args={"text": "x"}', "approve"), ('AskUser args={"question": "Which?"}', "this")):
        asking = AgentRequestFactory.create(workspace=workspace, agent=primary, message=f"tools=1 tool={word} say=done")
        run_once(asking)
        answer_interaction(asking, asking.interactions.get().interaction_id, response, by="ada")
        behind = AgentRequestFactory.create(workspace=workspace, agent=primary, session_id=asking.session_id)
        run_once(behind)
        cancel_request(behind, reason=Reason.CANCELLED, by="ada")
        run_once(asking)
    stopped = AgentRequestFactory.create(workspace=workspace, agent=primary, message="tools=1 tool=guarded")
    run_once(stopped)
    cancel_request(stopped, reason=Reason.CANCELLED, by="ada")


def _shapes(workspace: Workspace) -> dict[str, set[str]]:
    """By kind of event the keys of its payloads, and which columns it fills."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in workspace.events.all():
        found[event.event_type].add(_shape(event))
    return found


def _shape(event: RuntimeEvent) -> str:
    keys = {name: sorted(event.payload[name]) for name in _NESTED if isinstance(event.payload.get(name), dict)}
    columns = [bool(event.trace_id), event.loop_index is not None, event.step_key[:8], (event.dedupe_key or "")[:8]]
    return json.dumps([sorted(event.payload), keys, columns])


def _plain(workspace: Workspace) -> AgentRequest:
    """One without tools or trouble."""
    rows = workspace.agent_requests.filter(status="completed", tool_calls=0, steps=1, attempt=1, parent=None)
    return rows.filter(last_sequence=14).order_by("pk")[0]


def _kinds(agent_request: AgentRequest) -> list[str]:
    return list(agent_request.events.order_by("sequence").values_list("event_type", flat=True))
