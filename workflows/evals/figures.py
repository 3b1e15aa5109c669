"""What the results of an experiment say together. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean

_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    question: int
    has_passed: bool
    score: float | None
    cost_usd: float
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    questions: int
    answers: int
    pass_rate: float
    """Mean over questions of the share of their repeats that passed."""
    low: float
    high: float
    """95% confidence interval of the pass rate."""
    score: float | None
    """Mean of the judge's scores, where there are any."""
    cost_usd: float
    p50_ms: int
    p95_ms: int

    def as_json(self) -> dict[str, float | int | None]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def figures_of(results: Sequence[Result]) -> Figures:
    rates = pass_rates(results)
    rate = fmean(rates.values()) if rates else 0.0
    low, high = wilson(rate, len(rates))
    scores = [result.score for result in results if result.score is not None]
    durations = sorted(result.duration_ms for result in results)
    return Figures(
        questions=len(rates),
        answers=len(results),
        pass_rate=rate,
        low=low,
        high=high,
        score=fmean(scores) if scores else None,
        cost_usd=sum(result.cost_usd for result in results),
        p50_ms=_percentile(durations, 0.5),
        p95_ms=_percentile(durations, 0.95),
    )


def pass_rates(results: Iterable[Result]) -> Mapping[int, float]:
    """By question, over its repeats."""
    passed = defaultdict[int, list[bool]](list)
    for result in results:
        passed[result.question].append(result.has_passed)
    return {question: fmean(each) for question, each in passed.items()}


def wilson(rate: float, count: int) -> tuple[float, float]:
    """Wilson's score interval (1927) at 95%. Questions are the sample: repeats make each one's rate surer, not the sample larger."""
    if not count:
        return 0.0, 1.0
    squared = _Z**2
    centre = (rate + squared / (2 * count)) / (1 + squared / count)
    half = _Z * sqrt(rate * (1 - rate) / count + squared / (4 * count**2)) / (1 + squared / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def _percentile(ordered: Sequence[int], share: float) -> int:
    """By nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
