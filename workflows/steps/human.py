"""Steps that ask a person; the answer is the output."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from runtime.interactions.ask import create_event, expire
from runtime.journal import Journal
from runtime.models import Interaction
from workflows.definition import HumanStep
from workflows.engine import INTERRUPTED, STOPPED, Begin, Going, StepError
from workflows.expressions import ExpressionFailed, fill
from workflows.open_run import OpenRun
from workflows.steps.ending import Ending

State = Interaction.State
_PATIENCE = timedelta(days=30)


def begin(run: OpenRun, begin: Begin, journal: Journal) -> StepError | None:
    """Opens the question, in the transaction that says that the step begins. What is wrong, if it cannot."""
    step = begin.step
    assert isinstance(step, HumanStep)  # noqa: S101  the one kind that comes here
    try:
        prompt = fill(step.prompt, begin.data)
    except ExpressionFailed as error:
        return StepError(code="expression_failed", message=str(error), is_final=True)
    _ask(run, begin.path, begin.attempt, step, prompt, journal)
    return None


def _ask(run: OpenRun, path: str, turn: int, step: HumanStep, prompt: str, journal: Journal) -> None:
    row, now = run.agent_request, timezone.now()
    patience = timedelta(seconds=step.timeout_s) if step.timeout_s else _PATIENCE
    interaction = row.interactions.create(
        workspace=row.workspace,
        run=row.run,
        loop_index=0,
        call_id=path,
        turn=turn,
        kind=step.ask,
        prompt=prompt,
        options=list(step.options),
        deadline=now + patience,
        created_at=now,
    )
    journal.add(create_event(interaction))


def ending(run: OpenRun, going: Going, *, is_in_vain: bool) -> Ending | None:
    """The answer, or silence. A question that an earlier end of the run has closed is asked anew."""
    row = run.agent_request
    asked = row.interactions.filter(call_id=going.path).order_by("-pk").first()
    if asked is None or (asked.state == State.CANCELLED and not is_in_vain):
        return Ending(error=StepError(code=INTERRUPTED, message="The question was closed."))
    if is_in_vain and asked.state == State.OPEN:
        row.interactions.filter(pk=asked.pk, state=State.OPEN).update(state=State.CANCELLED)
        return Ending(error=StepError(code=STOPPED, message="A step beside it failed.", is_final=True))
    if asked.state == State.OPEN and asked.deadline <= timezone.now():
        expire(row, asked)
    if asked.state == State.OPEN:
        return None
    return Ending(output=_answer(asked))


def _answer(interaction: Interaction) -> dict[str, Any]:
    return {
        "response": interaction.answer,
        "state": interaction.state,
        "note": interaction.note,
        "by": interaction.answered_by or None,
    }
