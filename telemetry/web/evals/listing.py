"""All datasets and the newest experiments of a workspace."""

from django.db.models import Count, Q
from django.http import HttpResponse

from telemetry.web.visit import Visit, screen
from workflows.evals.datasets import make_dataset
from workflows.evals.models import DatasetRow
from workspaces.api.envelope import InvalidRequest
from workspaces.errors import MashError
from workspaces.roles import Scope

_NEWEST = 50


@screen("evals", Scope.AGENTS_READ, methods=("GET", "POST"))
def evals(visit: Visit) -> HttpResponse:
    """A POST makes the dataset `name`."""
    fault: MashError | None = None
    if visit.request.method == "POST":
        visit.principal.require(Scope.AGENTS_WRITE)
        try:
            return _make(visit)
        except MashError as error:
            fault = error
    is_proposed = Q(questions__status=DatasetRow.Status.PROPOSED)
    is_accepted = Q(questions__status=DatasetRow.Status.ACCEPTED)
    context = {
        "datasets": visit.workspace.datasets.annotate(
            accepted=Count("questions", filter=is_accepted), proposed=Count("questions", filter=is_proposed)
        ).order_by("name"),
        "experiments": visit.workspace.experiments.select_related("dataset", "agent_version__agent", "agent_request")
        .annotate(answers=Count("results"), passed=Count("results", filter=Q(results__has_passed=True)))
        .order_by("-pk")[:_NEWEST],
        "may_change": visit.may(Scope.AGENTS_WRITE),
        "fault": fault,
    }
    return visit.render("web/evals/list.html", context, status=fault.status if fault else 200)


def _make(visit: Visit) -> HttpResponse:
    name = visit.request.POST.get("name", "").strip()[:100]
    if not name:
        raise InvalidRequest("A dataset needs a name.")
    dataset = make_dataset(visit.workspace, name, by=visit.principal.name)
    return visit.go(visit.link("dataset", dataset.pk))
