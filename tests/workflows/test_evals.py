"""Evals: datasets from everywhere, experiments through the ordinary runtime, and what they say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models import Agent
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from workflows.errors import ExperimentsDiffer
from workflows.evals.checks import Answer, outcomes, read_checks
from workflows.evals.compare import compare_experiments, experiment_figures
from workflows.evals.datasets import add_from_masher, add_lines, add_turn, lines_of, make_dataset
from workflows.evals.experiments import Plan, start_experiment
from workflows.evals.figures import Result, figures_of, wilson
from workflows.evals.models import Dataset, Experiment
from workspaces.api.envelope import InvalidBody
from workspaces.models import Workspace


@pytest.fixture
def dataset(workspace: Workspace) -> Dataset:
    return make_dataset(workspace, "orders", by="tests")


def lines(*rows: dict[str, Any]) -> str:
    """As a file that begins with a mark of its encoding."""
    return "\ufeff" + "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def finish(experiment: Experiment, run_requests: Driver) -> Experiment:
    run_requests()
    row = AgentRequest.rows.get(pk=experiment.agent_request_id or 0)
    assert (row.status, row.error) == ("completed", None)
    return Experiment.rows.get(pk=experiment.pk)


def test_an_experiment_asks_every_question_and_says_what_passed(
    transactional_db: None, dataset: Dataset, make_agent: AgentMaker, run_requests: Driver
) -> None:
    agent = make_agent(row={"agent_id": "support"}, tools=("echo",), model_attempts=1)
    add_lines(
        dataset,
        lines(
            {"message": "say=Lyon", "expected": "lyon"},
            {"message": "say=Porto", "expected": "Lyon"},
            {"message": "tools=1 tool=echo say=Lyon", "expected": "Lyon"},
            {"message": "fail=400", "expected": "Lyon"},
        ),
    )
    checks = [{"kind": "contains"}, {"kind": "tool_called", "tool": "echo", "is_wanted": False, "name": "no echo"}]
    assert agent.current_version
    wanted = Plan(name="first", agent_version=agent.current_version, checks=checks, repeats=2, max_concurrency=3)
    experiment = finish(start_experiment(dataset, wanted, by="tests"), run_requests)
    results = experiment.results.order_by("question", "repeat")
    assert [(result.repeat, result.has_passed) for result in results] == [
        *((repeat, True) for repeat in (1, 2)),
        *((repeat, False) for repeat in (1, 2)),
        *((repeat, False) for repeat in (1, 2)),
        *((repeat, False) for repeat in (1, 2)),
    ]
    porto, echoing, failed = results[2], results[4], results[6]
    assert porto.checks == {"contains": False, "no echo": True}
    assert echoing.checks == {"contains": True, "no echo": False}
    assert (failed.answer, bool(failed.error)) == ("", True)
    assert all(
        result.agent_request and result.agent_request.agent_version == agent.current_version for result in results
    )
    figures = experiment_figures(experiment)
    assert (figures.questions, figures.answers, figures.pass_rate) == (4, 8, 0.25)
    assert figures.low < 0.25 < figures.high


def test_a_judge_sees_what_is_expected_and_gives_scores(
    transactional_db: None, dataset: Dataset, make_agent: AgentMaker, run_requests: Driver
) -> None:
    support = make_agent(row={"agent_id": "support"})
    verdict = json.dumps({"score": 0.25, "explanation": "rude"}, separators=(",", ":"))
    make_agent(row={"agent_id": "critic"})
    add_lines(dataset, lines({"message": "say=no", "expected": f"say={verdict}"}))
    assert support.current_version
    wanted = Plan(name="judged", agent_version=support.current_version, judge="critic", rubric="Costs $5 ${at} most.")
    experiment = finish(start_experiment(dataset, wanted, by="tests"), run_requests)
    [result] = experiment.results.all()
    assert (result.score, result.explanation, result.has_passed) == (0.25, "rude", False)
    judged = AgentRequest.rows.get(agent__agent_id="critic")
    for part in ("say=no", verdict, "Costs $5 ${at} most."):
        assert part in judged.message


def test_an_answer_that_nothing_judges_has_not_passed_and_says_why(
    transactional_db: None, dataset: Dataset, make_agent: AgentMaker, run_requests: Driver
) -> None:
    support = make_agent(row={"agent_id": "support"})
    make_agent(row={"agent_id": "critic"})
    add_lines(dataset, lines({"message": "say=yes"}))
    judged = make_dataset(dataset.workspace, "judged", by="tests")
    add_lines(judged, lines({"message": "say=no", "expected": 'say={"score":2}'}))
    assert support.current_version
    unchecked = Plan(name="unchecked", agent_version=support.current_version, checks=[{"kind": "contains"}])
    beyond = Plan(name="beyond", agent_version=support.current_version, judge="critic")
    started = [start_experiment(dataset, unchecked, by="tests"), start_experiment(judged, beyond, by="tests")]
    run_requests()
    results = [experiment.results.get() for experiment in started]
    assert [(result.has_passed, result.explanation) for result in results] == [
        (False, "No check applies: the row says nothing of a good answer."),
        (False, "The judge gave no score from 0 to 1."),
    ]
    with pytest.raises(ExperimentsDiffer):
        compare_experiments(*started)


def test_an_older_version_is_compared_with_a_newer_one_worse_first(
    transactional_db: None, dataset: Dataset, agent: Agent, run_requests: Driver
) -> None:
    add_lines(dataset, lines(*({"message": f"say={city}", "expected": city} for city in ("Lyon", "Porto", "Graz"))))
    assert agent.current_version
    experiments = []
    for number in (1, 2):
        wanted = Plan(name=f"v{number}", agent_version=agent.current_version, checks=[{"kind": "exact"}])
        experiments.append(finish(start_experiment(dataset, wanted, by="tests"), run_requests))
    questions = list(dataset.questions.all())
    experiments[1].results.filter(question=questions[1]).update(has_passed=False)
    experiments[0].results.filter(question=questions[2]).update(has_passed=False)
    comparison = compare_experiments(*experiments)
    assert [change.question_id for change in comparison.changes] == [questions[1].pk, questions[2].pk, questions[0].pk]
    assert comparison.regressions == 1


def test_rows_come_from_turns_and_from_masher_once_and_are_looked_at_first(
    transactional_db: None, dataset: Dataset, agent: Agent, run_requests: Driver
) -> None:
    sent = AgentRequestFactory.create(workspace=agent.workspace, agent=agent, message="say=hello")
    run_requests()
    sent.refresh_from_db()
    for _ in range(2):
        row = add_turn(dataset, sent)
    assert (row.message, row.expected, row.status) == ("say=hello", "hello", "proposed")
    assert list(lines_of(dataset)) == []
    row.status = "accepted"
    row.save()
    assert [json.loads(line) for line in lines_of(dataset)] == [{"message": "say=hello", "expected": "hello"}]
    assert add_from_masher(dataset) == 0


def test_only_line_feeds_end_lines(dataset: Dataset) -> None:
    message = "one\u2028two\u0085three"
    assert add_lines(dataset, lines({"message": message}, {"message": "four"})) == 2
    assert [row.message for row in dataset.questions.all()] == [message, "four"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"message": ""}',
        '{"message": 5}',
        '{"message": "x", "expected": 1}',
        '{"message": "x", "user_message": "y"}',
        '{"message": "x", "metadata": {"n": NaN}}',
        '{"message": "\\ud800"}',
        '{"message": "x", "metadata": {"a": ' + "[" * 5000 + "]" * 5000 + "}}",
    ],
)
def test_lines_that_make_no_sense_add_nothing(dataset: Dataset, line: str) -> None:
    with pytest.raises(InvalidBody) as refused:
        add_lines(dataset, f'{{"message": "fine"}}\n{line}')
    assert refused.value.details["errors"][0]["loc"] == ["body", "line 2"]
    assert not dataset.questions.exists()


@pytest.mark.parametrize(
    ("check", "text", "passes"),
    [
        ({"kind": "exact"}, " Lyon\n", True),
        ({"kind": "exact"}, "lyon", False),
        ({"kind": "contains", "text": "LYON"}, "in Lyon", True),
        ({"kind": "json_schema", "schema": {"type": "object", "required": ["a"]}}, '{"a": 1}', True),
        ({"kind": "json_schema", "schema": {"type": "object"}}, "no JSON", False),
        ({"kind": "tool_called", "tool": "search"}, "", True),
        ({"kind": "max_cost", "usd": 0.01}, "", False),
        ({"kind": "max_seconds", "seconds": 2}, "", True),
    ],
)
def test_checks(check: dict[str, Any], text: str, passes: bool) -> None:
    answer = Answer(text=text, expected="Lyon", tools_called=["search"], cost_usd=0.02, duration_ms=2000)
    assert list(outcomes(read_checks([check]), answer).values()) == [passes]


def test_checks_that_make_no_sense_are_refused() -> None:
    for check in (
        {"kind": "nice"},
        {"kind": "max_cost", "usd": -1},
        {"kind": "json_schema", "schema": {"type": "odd"}},
    ):
        with pytest.raises(InvalidBody):
            read_checks([check])


@given(st.floats(0, 1), st.integers(1, 10_000))
def test_an_interval_holds_its_rate_and_narrows_with_more_questions(rate: float, count: int) -> None:
    low, high = wilson(rate, count)
    assert 0 <= low <= rate + 1e-9
    assert rate - 1e-9 <= high <= 1
    wider = wilson(rate, max(1, count // 2))
    assert high - low <= wider[1] - wider[0] + 1e-9


def test_repeats_make_no_more_questions() -> None:
    one = [Result(question=n, has_passed=n % 2 == 0, score=None, cost_usd=0.0, duration_ms=1) for n in range(10)]
    assert figures_of(one).low == figures_of(one * 5).low
