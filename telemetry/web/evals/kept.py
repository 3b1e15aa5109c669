"""What Masher has kept: digests and rows for evals, to be searched and taken along."""

import json

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpResponse

from telemetry.query.pages import newest_page
from telemetry.web.visit import Visit, screen
from workflows.masher.models import MasherRow
from workspaces.roles import Scope

PAGE_SIZE = 50
_MOST_EXPORTED = 10_000
_STATUSES = ("ok", "failed")


@screen("evals", Scope.TELEMETRY_READ)
def kept_rows(visit: Visit) -> HttpResponse:
    """`kind=digest|eval`, `status=ok|failed` of digests, `agent`, `q` (words of the row), `export=1` for JSON lines."""
    parameters = visit.request.GET.dict()
    rows = _filtered(visit)
    if parameters.get("export"):
        lines = rows.order_by("pk").values_list("content", flat=True)[:_MOST_EXPORTED]
        text = "".join(f"{json.dumps(content, sort_keys=True)}\n" for content in lines.iterator(chunk_size=500))
        headers = {"Content-Disposition": 'attachment; filename="masher.jsonl"'}
        return HttpResponse(text, content_type="application/x-ndjson; charset=utf-8", headers=headers)
    context = {
        "page": newest_page(rows, parameters.get("cursor", ""), size=PAGE_SIZE),
        "kinds": MasherRow.Kind.choices,
        "statuses": _STATUSES,
        "has_filters": any(parameters.get(name) for name in ("kind", "status", "agent", "q")),
    }
    return visit.render("web/evals/kept.html", context, partials={"results"})


def _filtered(visit: Visit) -> QuerySet[MasherRow]:
    parameters, rows = visit.request.GET, visit.workspace.masher_rows.all()
    if parameters.get("kind") in MasherRow.Kind.values:
        rows = rows.filter(kind=parameters["kind"])
    if parameters.get("status") in _STATUSES:
        rows = rows.filter(kind=MasherRow.Kind.DIGEST, content__status=parameters["status"])
    if agent := parameters.get("agent", "").replace("\x00", ""):
        rows = rows.filter(target_agent_id=agent)
    if words := parameters.get("q", "").replace("\x00", "").strip()[:200]:
        # SQLite holds what is not ASCII as JSON writes it.
        written = json.dumps(words)[1:-1]
        rows = rows.annotate(text=Cast("content", TextField()))
        rows = rows.filter(Q(text__icontains=words) | Q(text__icontains=written))
    return rows
