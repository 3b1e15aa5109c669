"""A dataset: its rows, those that are still to be looked at first, and how more of them come in."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse

from telemetry.query.pages import newest_page
from telemetry.show.log import find_request
from telemetry.web.visit import Visit, screen
from workflows.evals.datasets import add_from_masher, add_lines, add_turn, lines_of, make_dataset
from workflows.evals.models import Dataset, DatasetRow
from workspaces.errors import MashError
from workspaces.roles import Scope
from workspaces.scoping import only

PAGE_SIZE = 50
_NEXT_STATUS = {"accept": DatasetRow.Status.ACCEPTED, "reject": DatasetRow.Status.REJECTED}


@screen("evals", Scope.AGENTS_READ, methods=("GET", "POST"))
def dataset_page(visit: Visit, dataset_id: int) -> HttpResponse:
    """`status=proposed|accepted|rejected`; POST with `action=add|masher|save|accept|reject|remove`."""
    dataset = the_dataset(visit, dataset_id)
    fault: MashError | None = None
    if visit.request.method == "POST":
        visit.principal.require(Scope.AGENTS_WRITE)
        try:
            return _act(visit, dataset)
        except MashError as error:
            fault = error
    wanted = visit.request.GET.get("status", "")
    rows = dataset.questions.filter(status=wanted) if wanted in DatasetRow.Status.values else dataset.questions.all()
    context = {
        "dataset": dataset,
        "page": newest_page(rows, visit.request.GET.get("cursor", ""), size=PAGE_SIZE),
        "status": wanted,
        "statuses": DatasetRow.Status.choices,
        "typed": visit.request.POST.get("lines", ""),
        "may_change": visit.may(Scope.AGENTS_WRITE),
        "fault": fault,
    }
    return visit.render("web/evals/dataset.html", context, status=fault.status if fault else 200)


def _act(visit: Visit, dataset: Dataset) -> HttpResponse:
    form, action = visit.request.POST, visit.request.POST.get("action", "")
    if action == "add":
        messages.success(visit.request, f"{add_lines(dataset, form.get('lines', ''))} rows added.")
    elif action == "masher":
        messages.success(visit.request, f"{add_from_masher(dataset)} rows of Masher added, to be looked at.")
    else:
        row = only(dataset.questions.filter(pk=form["row"])) if form.get("row", "").isdecimal() else None
        if row is None:
            raise Http404
        _change(row, action, form.get("message", ""), form.get("expected", ""))
    return visit.go(visit.request.get_full_path())


def _change(row: DatasetRow, action: str, message: str, expected: str) -> None:
    if action == "remove":
        row.delete()
        return
    if action not in {"save", *_NEXT_STATUS}:
        raise Http404
    row.message, row.expected = message.strip() or row.message, expected
    row.status = _NEXT_STATUS.get(action, row.status)
    row.save(update_fields=["message", "expected", "status"])


@screen("evals", Scope.AGENTS_READ)
def dataset_export(visit: Visit, dataset_id: int) -> HttpResponse:
    """The accepted rows as JSON lines."""
    dataset = the_dataset(visit, dataset_id)
    text = "".join(f"{line}\n" for line in lines_of(dataset))
    headers = {"Content-Disposition": 'attachment; filename="dataset.jsonl"'}
    return HttpResponse(text, content_type="application/x-ndjson; charset=utf-8", headers=headers)


@screen("requests", Scope.AGENTS_WRITE, methods=("GET", "POST"))
def to_dataset(visit: Visit, request_id: uuid.UUID) -> HttpResponse:
    """Takes a request's message and answer into a dataset, which may be a new one."""
    agent_request = find_request(visit.workspace, request_id)
    if visit.request.method == "POST":
        chosen, name = visit.request.POST.get("dataset", ""), visit.request.POST.get("name", "").strip()[:100]
        known = only(visit.workspace.datasets.filter(pk=chosen)) if chosen.isdecimal() else None
        if known or name:
            dataset = known or make_dataset(visit.workspace, name, by=visit.principal.name)
            add_turn(dataset, agent_request)
            return visit.go(f"{visit.link('dataset', dataset.pk)}?status=proposed")
    context = {"agent_request": agent_request, "datasets": visit.workspace.datasets.all()}
    return visit.render("web/evals/to_dataset.html", context)


def the_dataset(visit: Visit, dataset_id: int) -> Dataset:
    found = only(visit.workspace.datasets.select_related("workspace").filter(pk=dataset_id))
    if found is None:
        raise Http404
    return found
