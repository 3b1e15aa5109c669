"""The code steps of an experiment's run."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils import timezone

from runtime.kinds import EventKind
from runtime.models import AgentRequest
from runtime.usage.family import with_children
from workflows.code import CodeFunction, StepContext, StepFailed, code_function
from workflows.evals.checks import Answer, outcomes, read_checks
from workflows.evals.models import DatasetRow, Experiment
from workspaces.models import Workspace

PASSING_SCORE = 0.5


def list_questions(experiment_pk: int, context: StepContext) -> list[dict[str, Any]]:
    """Every accepted question, as often as the experiment repeats it."""
    experiment = _experiment(context, experiment_pk)
    rows = experiment.dataset.questions.filter(status=DatasetRow.Status.ACCEPTED)
    return [
        {"experiment": experiment_pk, "question": pk, "repeat": repeat, "message": message, "expected": expected}
        for pk, message, expected in rows.values_list("pk", "message", "expected")
        for repeat in range(1, experiment.repeats + 1)
    ]


def score_answer(given: dict[str, Any], context: StepContext) -> bool:
    """Keeps what the answer was worth; whether it has passed."""
    item, judged = given["item"], given.get("judged")
    experiment = _experiment(context, item["experiment"])
    row = _request(context)
    text = given["answer"] if isinstance(given.get("answer"), str) else ""
    answer = _answer(row, text, item["expected"])
    checks = dict(outcomes(read_checks(experiment.checks), answer)) if row and row.status == "completed" else {}
    score, explanation = _judged(judged)
    has_answered = row is not None and row.status == "completed"
    is_judged_good = not experiment.judge or (score is not None and score >= PASSING_SCORE)
    # What nothing could be compared with has not passed.
    has_passed = bool(has_answered and (checks or experiment.judge) and all(checks.values()) and is_judged_good)
    experiment.results.update_or_create(
        question_id=item["question"],
        repeat=item["repeat"],
        defaults={
            "workspace": experiment.workspace,
            "agent_request": row,
            "answer": text,
            "error": ""
            if has_answered
            else ((row.error or {}).get("error", "No answer.") if row else "No request.")[:500],
            "checks": checks,
            "score": score,
            "explanation": explanation or _why_not(experiment, checks, score) if has_answered else "",
            "has_passed": has_passed,
            "cost_usd": answer.cost_usd,
            "duration_ms": answer.duration_ms,
            "created_at": timezone.now(),
        },
    )
    return has_passed


def _experiment(context: StepContext, pk: int) -> Experiment:
    workspace = Workspace.objects.get(slug=context.workspace)
    found = workspace.experiments.select_related("dataset", "workspace").filter(pk=pk).first()
    if found is None:
        raise StepFailed("The experiment is gone.", code="experiment_gone", retryable=False)
    return found


def _request(context: StepContext) -> AgentRequest | None:
    """The request that this step's question has become: a child of the run, called from the step beside this one."""
    workspace = Workspace.objects.get(slug=context.workspace)
    place = context.path.rpartition("/")[0]
    run = workspace.workflow_runs.filter(run_id=context.run_id).values("pk")
    return workspace.agent_requests.with_agent().filter(parent__in=run, parent_call=f"{place}/ask").first()


def _answer(row: AgentRequest | None, text: str, expected: str) -> Answer:
    if row is None:
        return Answer(text=text, expected=expected, tools_called=(), cost_usd=0.0, duration_ms=0)
    called = row.events.filter(event_type=EventKind.TOOL_STARTED).values_list("payload__tool_name", flat=True)
    return Answer(
        text=text,
        expected=expected,
        tools_called=[name for name in called if name],
        cost_usd=float(with_children(row).cost_usd),
        duration_ms=round((row.duration_s or 0) * 1000),
    )


def _why_not(experiment: Experiment, checks: Mapping[str, bool], score: float | None) -> str:
    """What neither a check nor the judge says by itself; empty where they do."""
    if experiment.judge and score is None:
        return "The judge gave no score from 0 to 1."
    return "" if checks or experiment.judge else "No check applies: the row says nothing of a good answer."


def _judged(judged: Any) -> tuple[float | None, str]:
    """Score and explanation; no score where the judge said none, or something that is none."""
    if not isinstance(judged, dict):
        return None, ""
    score: Any = judged.get("score")
    is_score = isinstance(score, (int, float)) and not isinstance(score, bool) and 0 <= score <= 1
    return (float(score) if is_score else None), str(judged.get("explanation") or "")[:5000]


@cache
def eval_functions() -> list[CodeFunction]:
    """What experiments' runs call."""
    return [
        code_function(list_questions, name="mash.list_questions", crash_policy="idempotent"),
        code_function(score_answer, name="mash.score_answer", crash_policy="idempotent"),
    ]
