"""Two experiments over the same dataset, question by question: what has become worse comes first."""

from collections.abc import Iterable
from dataclasses import dataclass

from workflows.errors import ExperimentsDiffer
from workflows.evals.figures import Figures, Result, figures_of, pass_rates
from workflows.evals.models import Experiment, ExperimentResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    question_id: int
    message: str
    before: ExperimentResult
    after: ExperimentResult
    before_rate: float
    after_rate: float

    @property
    def difference(self) -> float:
        return self.after_rate - self.before_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    before: Figures
    after: Figures
    changes: list[Change]
    """Of the questions that both have: worse ones first, then better ones, then the rest."""

    @property
    def regressions(self) -> int:
        return sum(change.difference < 0 for change in self.changes)


def results_of(rows: Iterable[ExperimentResult]) -> list[Result]:
    return [
        Result(
            question=row.question_id,
            has_passed=row.has_passed,
            score=row.score,
            cost_usd=float(row.cost_usd),
            duration_ms=row.duration_ms,
        )
        for row in rows
    ]


def experiment_figures(experiment: Experiment) -> Figures:
    return figures_of(results_of(experiment.results.all()))


def compare_experiments(before: Experiment, after: Experiment) -> Comparison:
    """Raises `ExperimentsDiffer` for two of different datasets."""
    if before.dataset_id != after.dataset_id:
        text = f"{before.name} is of the dataset {before.dataset.name}, and {after.name} of {after.dataset.name}."
        raise ExperimentsDiffer(text)
    rows = [list(each.results.select_related("question")) for each in (before, after)]
    results = [results_of(each) for each in rows]
    first = [{row.question_id: row for row in reversed(each)} for each in rows]
    rates = [pass_rates(each) for each in results]
    changes = [
        Change(
            question_id=question,
            message=row.question.message,
            before=row,
            after=first[1][question],
            before_rate=rates[0][question],
            after_rate=rates[1][question],
        )
        for question, row in first[0].items()
        if question in first[1]
    ]
    changes.sort(
        key=lambda change: (change.difference >= 0, change.difference == 0, change.difference, change.question_id)
    )
    return Comparison(before=figures_of(results[0]), after=figures_of(results[1]), changes=changes)
