"""`/workflow`: workflows, their runs, and steering them (contract 9.4)."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from runtime.client import MashHostClientError
from runtime.repl.command import Command, UsageError
from runtime.repl.desk import Desk
from runtime.repl.text import one_line
from runtime.repl.view import Outcome

_FIELDS = ("run_id", "workflow_id", "dedup_key", "status", "created_at", "started_at", "finished_at", "error")
_MOST_SHOWN = 200
_USAGES = {
    "list": "/workflow list",
    "run": "/workflow run <workflow_id> [dedup_key] [--input JSON_OBJECT]",
    "status": "/workflow status <workflow_id> <run_id>",
    "runs": "/workflow runs <workflow_id>",
    "watch": "/workflow watch <workflow_id> <run_id>",
    "cancel": "/workflow cancel <workflow_id> <run_id>",
    "resume": "/workflow resume <workflow_id> <run_id>",
}


def _workflow(desk: Desk, arguments: list[str]) -> Outcome:
    verb, _, rest = (arguments[0] if arguments else "").partition(" ")
    if verb not in _VERBS:
        raise UsageError("Usage: " + "; ".join(_USAGES.values()))
    return _VERBS[verb](desk, rest.strip())


def _list(desk: Desk, rest: str) -> Outcome:
    workflows = desk.conversation.client.list_workflows()["workflows"]
    rows = [(workflow["workflow_id"], _tasks(workflow)) for workflow in workflows]
    desk.screen.table(("Workflow ID", "Tasks"), rows)
    return Outcome.ANSWERED


def _tasks(workflow: Mapping[str, Any]) -> str:
    return ", ".join(f"{task['task_id']} -> {task['agent_id'] or task.get('kind', '')}" for task in workflow["tasks"])


def _run(desk: Desk, rest: str) -> Outcome:
    head, flag, text = rest.partition("--input")
    words = head.split()
    if not 1 <= len(words) <= 2:
        raise UsageError(f"Usage: {_USAGES['run']}")
    given = _input(text) if flag else {}
    key = words[1] if len(words) == 2 else None
    begun = desk.conversation.client.run_workflow(words[0], dedup_key=key, given=given)
    for name in ("workflow_id", "run_id", "status"):
        desk.screen.line(f"{name}: {one_line(str(begun[name]))}")
    return Outcome.ANSWERED


def _input(text: str) -> dict[str, Any]:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise UsageError(f"Usage: {_USAGES['run']}, where the input is a JSON object")
    return given


def _status(desk: Desk, rest: str) -> Outcome:
    run = desk.conversation.client.get_workflow_run(*_named(rest, "status"))
    desk.screen.table(("Field", "Value"), [(name, _shown(run[name])) for name in _FIELDS])
    if run.get("output") is not None:
        desk.screen.line(json.dumps(run["output"], indent=2, ensure_ascii=False))
    return Outcome.ANSWERED


def _runs(desk: Desk, rest: str) -> Outcome:
    if len(rest.split()) != 1:
        raise UsageError(f"Usage: {_USAGES['runs']}")
    runs = desk.conversation.client.list_workflow_runs(rest, limit=20)["runs"]
    rows = [(run["run_id"], run["status"], run["trigger"], _shown(run["error"])) for run in runs]
    desk.screen.table(("Run ID", "Status", "Trigger", "Error"), rows)
    return Outcome.ANSWERED


def _watch(desk: Desk, rest: str) -> Outcome:
    """Shows steps as they begin and end; Ctrl-C leaves, and the run goes on."""
    workflow_id, run_id = _named(rest, "watch")
    stream = desk.conversation.client.open_run_stream(workflow_id, run_id)
    try:
        for event in stream.events():
            if line := _told(event.name, event.data):
                desk.screen.line(line)
    except KeyboardInterrupt:
        desk.screen.line(f"No longer watching run {one_line(run_id)}.", "yellow")
        return Outcome.INTERRUPTED
    except MashHostClientError as error:
        desk.screen.error(str(error), "The run goes on without us.")
        return Outcome.FAILED
    return _status(desk, rest)


def _told(name: str, data: Mapping[str, Any]) -> str:
    """A line about what happened to a step; nothing for other events."""
    kind, payload = str(data.get("event_type") or name), data.get("payload") or data
    verb = kind.rpartition(".")[2]
    if ".workflow.step." not in f".{kind}" or not isinstance(payload, Mapping):
        return ""
    error = f": {payload['error']}" if payload.get("error") else ""
    return one_line(f"{payload.get('path', '')} {verb}{error}")[:_MOST_SHOWN]


def _cancel(desk: Desk, rest: str) -> Outcome:
    return _steered(desk, desk.conversation.client.cancel_workflow_run, rest, "cancel")


def _resume(desk: Desk, rest: str) -> Outcome:
    return _steered(desk, desk.conversation.client.resume_workflow_run, rest, "resume")


def _steered(desk: Desk, steer: Callable[[str, str], dict[str, Any]], rest: str, verb: str) -> Outcome:
    run = steer(*_named(rest, verb))
    desk.screen.line(f"Run {one_line(str(run['run_id']))} is {run['status']}.")
    return Outcome.ANSWERED


def _named(rest: str, verb: str) -> tuple[str, str]:
    words = rest.split()
    if len(words) != 2:
        raise UsageError(f"Usage: {_USAGES[verb]}")
    return words[0], words[1]


def _shown(value: object) -> str:
    return "-" if value is None else one_line(str(value))[:_MOST_SHOWN]


_VERBS: Mapping[str, Callable[[Desk, str], Outcome]] = {
    "list": _list,
    "run": _run,
    "status": _status,
    "runs": _runs,
    "watch": _watch,
    "cancel": _cancel,
    "resume": _resume,
}
WORKFLOWS = (
    Command(
        name="workflow",
        arguments="list|run|status|runs|watch|cancel|resume",
        help="List workflows, start runs, watch and steer them.",
        takes_text=True,
        run=_workflow,
    ),
)
