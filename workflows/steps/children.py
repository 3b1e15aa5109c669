"""Steps that are requests of their own: to an agent, or a run of another workflow."""

import json
import uuid
from typing import Any

from django.utils import timezone

from agents.models import Agent, AgentVersion
from runtime.accept import insert_request
from runtime.cancel import cancel_request, parent_name
from runtime.kinds import Reason, Status
from runtime.models import AgentRequest
from runtime.public import completed_data
from runtime.resume import resume_request
from runtime.verify.facts import call_of_step
from workflows.definition import AgentStep, WorkflowStep
from workflows.engine import STOPPED, Begin, Going, StepError
from workflows.expressions import ExpressionFailed, fill
from workflows.open_run import OpenRun
from workflows.start import insert_child_run
from workflows.steps.ending import Ending
from workspaces.errors import MashError


def begin(run: OpenRun, begin: Begin) -> StepError | None:
    """Inserts the child, in the transaction that says that the step begins. What is wrong, if it cannot."""
    try:
        return _insert(run, begin)
    except ExpressionFailed as error:
        return StepError(code="expression_failed", message=str(error), is_final=True)
    except MashError as error:
        return StepError(code=error.code, message=error.message, is_final=not error.retryable)


def _insert(run: OpenRun, begin: Begin) -> StepError | None:
    step = begin.step
    if isinstance(step, WorkflowStep):
        insert_child_run(run, step.workflow_id, begin.input, call=call_of_step(begin.path, begin.attempt))
        return None
    assert isinstance(step, AgentStep)  # noqa: S101  the two kinds that come here
    parent = run.agent_request
    agent = parent.workspace.agents.select_related("current_version").filter(agent_id=step.agent_id).first()
    if agent is None or agent.current_version is None:
        return StepError(code="AGENT_NOT_FOUND", message=f"There is no agent {step.agent_id!r}.", is_final=True)
    if agent.is_gone or not agent.is_enabled:
        return StepError(code="AGENT_DISABLED", message=f"The agent {step.agent_id} is switched off.", is_final=True)
    version = _version(agent, step.agent_version)
    if version is None:
        text = f"The agent {step.agent_id} has no version {step.agent_version}."
        return StepError(code="AGENT_VERSION_NOT_FOUND", message=text, is_final=True)
    data = {**begin.data, "state": run.state_of(step.id).value}
    text = fill(step.message, data) if step.message else ""
    message = text or run.contract_message(step.id, begin.input, begin.data["steps"])
    session_id = _session_id(run, begin)
    insert_request(
        AgentRequest(
            request_id=uuid.uuid5(uuid.NAMESPACE_URL, f"mash.workflow.task:{agent.agent_id}:{session_id}"),
            workspace=parent.workspace,
            agent=agent,
            agent_version=version,
            session_id=session_id,
            message=message,
            user=parent.user,
            metadata=parent.metadata,
            created_by=parent.created_by,
            parent=parent,
            parent_call=call_of_step(begin.path, begin.attempt),
            depth=parent.depth,
            limits={"deadline_s": step.timeout_s} if step.timeout_s else {},
        )
    )
    return None


def _version(agent: Agent, number: int | None) -> AgentVersion | None:
    """The one that is asked for; the current one if none is."""
    return agent.current_version if number is None else agent.versions.filter(number=number).first()


def _session_id(run: OpenRun, begin: Begin) -> str:
    """Contract 1.2; steps of a map, and further attempts, have sessions of their own."""
    place = f"workflow:{run.workflow_id}:task:{begin.path}:run:{run.row.run_id}"
    return place if begin.attempt == 1 else f"{place}:{begin.attempt}"


def ending(run: OpenRun, going: Going, *, is_in_vain: bool) -> Ending | None:
    """What came of the child; one that an earlier end of the run has cancelled goes on with it."""
    row = run.agent_request
    child = row.children.filter(parent_call=call_of_step(going.path, going.node.attempt)).with_agent().first()
    if child is None:
        return Ending(error=StepError(code="child_lost", message="The step's request is gone."))
    if is_in_vain and not child.is_terminal:
        cancel_request(child, reason=Reason.CANCELLED, by=parent_name(row))
        return Ending(error=StepError(code=STOPPED, message="A step beside it failed.", is_final=True))
    is_ours = child.status == Status.CANCELLED and child.cancelled_by == parent_name(row)
    if is_ours and not is_in_vain:
        try:
            resume_request(child, by=parent_name(row))
        except MashError as error:
            return Ending(error=StepError(code=error.code, message=error.message))
        return None
    if not child.is_terminal:
        return _out_of_time(run, going, child)
    return _ended(going, child)


def _out_of_time(run: OpenRun, going: Going, child: AgentRequest) -> Ending | None:
    timeout_s = getattr(going.step, "timeout_s", None)
    if timeout_s is None or (timezone.now() - child.run_began_at).total_seconds() < timeout_s:
        return None
    cancel_request(child, reason=Reason.CANCELLED, by=parent_name(run.agent_request))
    return Ending(error=StepError(code="timeout", message=f"It took longer than {timeout_s:g} seconds."))


def _ended(going: Going, child: AgentRequest) -> Ending:
    request_id, ended = str(child.request_id), completed_data(child)
    if child.status != Status.COMPLETED or ended is None:
        about: dict[str, Any] = child.error or {"error": "The request was cancelled.", "error_code": "cancelled"}
        is_final = not about.get("retryable", child.status == Status.CANCELLED)
        error = StepError(code=about.get("error_code", "error"), message=about.get("error", ""), is_final=is_final)
        return Ending(error=error, request_id=request_id)
    response = ended[1].get("response") or {}
    if isinstance(going.step, WorkflowStep):
        return Ending(output=response.get("output"), request_id=request_id)
    assert isinstance(going.step, AgentStep)  # noqa: S101  the two kinds that come here
    text = response.get("text", "")
    if going.step.answer == "text":
        return Ending(output=text, request_id=request_id)
    answer = _object(text)
    if answer is None:
        message = f"The answer is not a JSON object: {text[:200]}"
        return Ending(error=StepError(code="invalid_output", message=message), request_id=request_id)
    return Ending(output=answer, state=answer if going.step.keeps_state else None, request_id=request_id)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
