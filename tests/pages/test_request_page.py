"""A request's page: where its time and money went (web-ui 3.3)."""

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from agents.models import Agent
from runtime.kinds import EventKind, Status
from runtime.models import AgentRequest, RuntimeEvent
from telemetry.show.compare import align, text_difference
from telemetry.show.lanes import axis_of, compressed, long_idle, zoomed
from telemetry.show.log import read_lines
from telemetry.show.outline import critical_path, idle_stretches
from telemetry.show.span_events import FOLDED, fold_event, trace_of
from telemetry.show.spans import Span, Trace
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.pages.conftest import signed_in
from workspaces.models import User, Workspace

pytestmark = pytest.mark.django_db


def path(agent_request: AgentRequest, query: str = "") -> str:
    return f"/w/{agent_request.workspace.slug}/requests/{agent_request.request_id}/{query}"


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).split())


@pytest.fixture
def long_request(workspace: Workspace, agent: Agent) -> AgentRequest:
    """250 model calls with a tool each, the tenth of which fails; then a person is waited for."""
    agent_request = AgentRequestFactory.create(workspace=workspace, agent=agent, message="a long one")
    log: list[tuple[EventKind, int | None, dict[str, Any]]] = [(EventKind.TRACE_STARTED, None, {})]
    for step in range(250):
        tool = {"tool_name": "echo", "tool_call_id": "c", "tool_arguments": {"text": f"word {step}"}}
        result = {"content": "no such thing" if step == 9 else "fine", "is_error": step == 9}
        log += [
            (EventKind.LLM_REQUEST_START, step, {"model": "haiku", "provider": "anthropic"}),
            (EventKind.THINK_COMPLETED, step, {"usage": {"input_tokens": 10, "output_tokens": 2}, "cost_usd": 0.001}),
            (EventKind.TOOL_STARTED, step, tool),
            (EventKind.TOOL_COMPLETED, step, {"tool_call_id": "c", "result": result}),
        ]
    log += [(EventKind.REQUEST_PAUSED, None, {"reason": "interaction"}), (EventKind.REQUEST_COMPLETED, None, {})]
    began = agent_request.accepted_at
    moments = [
        *(began + timedelta(milliseconds=10 * place) for place in range(len(log) - 1)),
        began + timedelta(hours=1),
    ]
    RuntimeEvent.rows.bulk_create(
        RuntimeEvent(
            workspace=workspace,
            agent_request=agent_request,
            sequence=place + 2,
            event_type=kind,
            loop_index=step,
            payload=payload,
            created_at=at,
        )
        for place, ((kind, step, payload), at) in enumerate(zip(log, moments, strict=True))
    )
    AgentRequest.rows.filter(pk=agent_request.pk).update(
        status=Status.COMPLETED, finished_at=moments[-1], last_sequence=len(log) + 1
    )
    agent_request.refresh_from_db()
    return agent_request


def test_a_page_of_500_spans_is_small_and_asks_little(
    visitor: Client, long_request: AgentRequest, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    visitor.get(path(long_request))
    for query in ("", "?view=tree", "?span=model-3", "?show=tool"):
        with django_assert_max_num_queries(12):
            html = visitor.get(path(long_request, query)).content
        assert len(gzip.compress(html)) <= 60_000
        assert html.count(b"<") < 12_000, "tags that open and close: 6,000 nodes"


def test_a_long_request_folds_what_went_well(visitor: Client, long_request: AgentRequest) -> None:
    html = visitor.get(path(long_request)).content.decode()
    assert html.count('class="kind-model') == 250
    assert re.findall('<tr id="span-(tool-[0-9]+)"', html) == ["tool-41"], "only the one that failed"
    unfolded = re.search(r'href="([^"]*flip=model-3)"\s+aria-expanded="false"', html)
    assert unfolded
    assert 'id="span-tool-5"' in visitor.get(unfolded[1]).content.decode()
    assert "Rows 1 to" not in words(html)


def test_everything_is_folded_and_unfolded_by_a_link(visitor: Client, long_request: AgentRequest) -> None:
    def look(query: str) -> tuple[int, str]:
        """How many tools it shows, and what it offers."""
        html = visitor.get(path(long_request, query)).content.decode()
        return html.count('id="span-tool-'), "".join(re.findall(r">((?:Unf|F)old all)<", html))

    assert look("") == (1, "Unfold all"), "the tool that failed always shows"
    assert look("?fold=none") == (169, "Fold all"), "as many rows as a page has"
    assert look("?fold=all") == (1, "Unfold all")
    assert look("?fold=nonsense") == (1, "Unfold all")


def test_rows_are_chosen_by_the_address(visitor: Client, long_request: AgentRequest) -> None:
    def rows(query: str) -> list[str]:
        return re.findall('<tr id="span-([^"]+)"', visitor.get(path(long_request, query)).content.decode())

    assert rows("?show=errors") == ["tool-41"]
    assert rows("?find=word+77") == ["tool-313"]
    assert rows("?show=long") == ["request-1", "wait-1003"]
    assert set(rows("?t0=0&t1=0.05")) == {"request-1", "queue-1", "model-3", "tool-5", "model-7"} - {"tool-5"}
    assert len(rows("?show=tool")) == 250
    assert rows("?show=errors&find=nothing+has+this") == []


def test_time_in_which_nobody_works_can_be_compressed(visitor: Client, long_request: AgentRequest) -> None:
    assert "Compress idle time" in visitor.get(path(long_request)).content.decode()
    trace = trace_of(read_lines(long_request, FOLDED, after=0, up_to=long_request.last_sequence))
    spans = list(trace.spans.values())
    axis = axis_of(spans, long_request.finished_at or timezone.now(), is_growing=False)
    idle = long_idle(axis, spans)
    assert len(idle) == 1
    last_tool = trace.spans["tool-1001"]
    assert float(axis.bar(last_tool).x) < 1
    assert float(compressed(axis, idle).bar(last_tool).x) > 90
    part = zoomed(axis, 1, 2)
    assert part.seconds == pytest.approx(1)
    assert part.ticks()[0].label == "1.00 s"


def test_a_span_is_looked_at_closely(visitor: Client, long_request: AgentRequest) -> None:
    shown = words(visitor.get(path(long_request, "?span=tool-41")).content.decode())
    assert "no such thing" in shown
    assert "word 9" in shown
    raw = words(visitor.get(path(long_request, "?span=tool-41&tab=raw")).content.decode())
    assert "tool_call_id" in raw
    kept = visitor.get(path(long_request, "export?span=tool-41")).json()
    assert [event["request_seq"] for event in kept["events"]] == [41, 42]


def test_one_goes_from_a_found_span_to_the_next(visitor: Client, long_request: AgentRequest) -> None:
    def beside(query: str) -> list[str]:
        html = visitor.get(path(long_request, query)).content.decode()
        nav = html.split('aria-label="Among the shown parts"')[1].split("</nav>")[0]
        return re.findall(r"[?&;]span=([\w-]+)", nav)

    # Of 250 tools, those with words 23 and 230 to 239
    assert beside("?find=word+23&span=tool-97") == ["tool-925"]
    assert beside("?find=word+23&span=tool-925") == ["tool-97", "tool-929"]


def test_the_log_tells_the_time_since_the_event_before(visitor: Client, long_request: AgentRequest) -> None:
    shown = words(visitor.get(path(long_request, "?view=events")).content.decode())
    assert re.search(r"runtime\.tool\.call\.started step 0 \+10 ms 30 ms", shown)
    later = visitor.get(path(long_request, "?view=events&after=200")).content.decode()
    first = later.split('id="event-201"')[1].split("</summary>")[0]
    assert words(first).endswith("runtime.tool.call.started step 49 1.99 s")


def test_what_a_model_says_can_do_nothing(visitor: Client, workspace: Workspace) -> None:
    agent_request = AgentRequestFactory.create(workspace=workspace, message="<script>alert(1)</script>" + "x" * 500)
    html = visitor.get(path(agent_request)).content.decode()
    assert "<script>alert" not in html
    assert "x" * 400 not in html


def test_strangers_find_no_page(
    stranger: Client, owner: User, long_request: AgentRequest, other_workspace: Workspace
) -> None:
    assert stranger.get(path(long_request)).status_code == 404
    theirs = f"/w/{other_workspace.slug}/requests/{long_request.request_id}/"
    for suffix in ("", "?view=events", "export", "cancel/"):
        assert stranger.get(f"{theirs}{suffix}").status_code == 404
    mine = AgentRequestFactory.create(workspace=other_workspace)
    assert signed_in(owner).get(path(long_request, f"?view=compare&with={mine.request_id}")).status_code == 404


def test_two_requests_are_compared(visitor: Client, make_agent: AgentMaker, run_requests: Driver) -> None:
    agent = make_agent()
    sent = [
        AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message=message)
        for message in ("tools=1 say=pears", "tools=2 say=apples")
    ]
    run_requests()
    html = visitor.get(path(sent[1], f"?view=compare&with={sent[0].request_id}")).content.decode()
    shown = words(html)
    assert "removed: pears" in shown
    assert "added: apples" in shown
    assert "no such step" in shown
    assert f"with={sent[0].request_id}" in visitor.get(path(sent[1], "?view=compare")).content.decode()


def test_a_subagents_work_unfolds_in_place(
    visitor: Client, make_agent: AgentMaker, run_requests: Driver, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    helper = make_agent()
    agent = make_agent(subagents=[helper.agent_id], row={"role": Agent.Role.PRIMARY})
    order = f'args={{"agent_id": "{helper.agent_id}", "prompt": "tools=1 say=done"}}'
    sent = AgentRequestFactory.create(
        workspace=agent.workspace, agent=agent, message=f"tools=1 tool=InvokeSubagent {order} say=finished"
    )
    run_requests()
    child = sent.children.get()
    html = visitor.get(path(sent)).content.decode()
    key = re.search(r'<tr id="span-(subagent-[0-9]+)"', html)
    assert key
    assert f'id="span-{child.request_id}' not in html
    with django_assert_max_num_queries(15):  # three of them for the subagent's own log
        unfolded = visitor.get(path(sent, f"?flip={key[1]}")).content.decode()
    assert unfolded.count(f'<tr id="span-{child.request_id}') == len(_trace(child).spans)


@pytest.fixture
def real_logs(make_agent: AgentMaker, fallback: dict[str, str], run_requests: Driver) -> list[AgentRequest]:
    agent = make_agent(model_attempts=2, **fallback)
    messages = (
        "tools=2 calls=2",
        "fail=429:1 retry_after=0 tools=1",
        "fail=unknown_tool tools=1",
        "tool=explode tools=1",
    )
    sent = [AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message=message) for message in messages]
    run_requests()
    for agent_request in sent:
        agent_request.refresh_from_db()
    return sent


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=5))
def test_folding_in_parts_is_folding_at_once(real_logs: list[AgentRequest], cuts: list[int]) -> None:
    for agent_request in real_logs:
        lines = read_lines(agent_request, FOLDED, after=0, up_to=agent_request.last_sequence)
        trace = trace_of([])
        begin = 0
        for end in [*sorted(cuts), len(lines)]:
            for line in lines[begin:end]:
                fold_event(trace, line)
            begin = max(begin, end)
        whole = trace_of(lines)
        assert trace == whole
        assert all(span.ended and span.ended >= span.began for span in whole.spans.values())


def test_a_real_log_says_what_happened(real_logs: list[AgentRequest]) -> None:
    parallel, retried, unknown, exploded = (list(_trace(row).spans.values()) for row in real_logs)
    assert [span.kind for span in parallel] == ["request", "queue", *["model", "tool", "tool"] * 2, "model"]
    assert [span.children for span in parallel if span.kind == "model"] == [2, 2, 0]
    attempts = [span for span in retried if span.kind == "model"]
    assert attempts[0].error
    assert "attempt 2" in attempts[1].note
    for failed in (unknown, exploded):
        assert any(span.error for span in failed if span.kind == "tool")
    now = real_logs[0].finished_at or timezone.now()
    assert parallel[-1].key in critical_path(parallel, now)
    assert all(start < end for start, end in idle_stretches(parallel, parallel[0].began, now))


def test_steps_are_aligned_by_what_they_do() -> None:
    def span(name: str) -> Span:
        return Span(key=name, kind="tool", name=name, depth=2, began=timezone.now(), first=1, last=1)

    pairs = align([span("a"), span("b"), span("c")], [span("a"), span("c"), span("d")])
    assert [(pair.left and pair.left.name, pair.right and pair.right.name) for pair in pairs] == [
        ("a", "a"),
        ("b", None),
        ("c", "c"),
        (None, "d"),
    ]
    assert text_difference("same", "same") == []


def _trace(agent_request: AgentRequest) -> Trace:
    agent_request.refresh_from_db()
    return trace_of(read_lines(agent_request, FOLDED, after=0, up_to=agent_request.last_sequence))
