"""Steps that wait: for some seconds, for a moment, for a signal."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from workflows.definition import HumanStep, WaitStep, Work
from workflows.engine import Begin, Going, StepError
from workflows.expressions import ExpressionFailed, evaluate
from workflows.open_run import OpenRun
from workflows.steps.ending import Ending


def begin(run: OpenRun, begin: Begin) -> StepError | None:
    step = begin.step
    if isinstance(step, WaitStep) and step.until:
        try:
            _moment(evaluate(step.until, begin.data))
        except (ExpressionFailed, ValueError) as error:
            return StepError(code="not_a_moment", message=str(error), is_final=True)
    return None


def ending(run: OpenRun, going: Going) -> Ending | None:
    step, now = going.step, timezone.now()
    assert isinstance(step, WaitStep)  # noqa: S101  the one kind that comes here
    if step.signal:
        waiting = run.progress.signals.get(step.signal) or []
        if waiting:
            return Ending(output=waiting.pop(0))
    ends_at = wakes_at(run, going)
    return Ending() if ends_at and ends_at <= now else None


def wakes_at(run: OpenRun, going: Going) -> datetime | None:
    """When the step has to be looked at again in any case."""
    step, began = going.step, going.node.began or timezone.now()
    if isinstance(step, WaitStep) and step.until:
        return _moment(evaluate(step.until, going.data))
    if isinstance(step, WaitStep) and step.seconds is not None:
        return began + timedelta(seconds=step.seconds)
    if isinstance(step, (Work, WaitStep)) and step.timeout_s is not None:
        return began + timedelta(seconds=step.timeout_s)
    if isinstance(step, HumanStep):
        deadlines = run.agent_request.interactions.filter(state="open", call_id=going.path)
        for deadline in deadlines.values_list("deadline", flat=True):
            return deadline + timedelta(milliseconds=50)
    return None


def _moment(value: Any) -> datetime:
    """Unix seconds or ISO 8601; without a zone, UTC. Raises a `ValueError`."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, tz=UTC)
        moment = parse_datetime(str(value))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{value!r} is no moment: {error}") from error
    if moment is None:
        raise ValueError(f"{value!r} is no moment: give Unix seconds or ISO 8601.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
