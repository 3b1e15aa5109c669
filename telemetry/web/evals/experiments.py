"""Starting an experiment, watching it, and comparing it with another one."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponse

from agents.models import AgentVersion
from telemetry.web.evals.datasets import the_dataset
from telemetry.web.typed_json import typed_json
from telemetry.web.visit import Visit, screen
from workflows.evals.compare import compare_experiments, experiment_figures
from workflows.evals.experiments import Plan, start_experiment
from workflows.evals.models import Experiment
from workspaces.api.envelope import InvalidBody
from workspaces.errors import MashError
from workspaces.models import Workspace
from workspaces.roles import Scope
from workspaces.scoping import only

_MOST_SHOWN = 500


class ExperimentForm(forms.Form):
    name = forms.CharField(max_length=100)
    agent = forms.ChoiceField(help_text="Its current version answers, unless another one is named.")
    version = forms.IntegerField(required=False, min_value=1)
    contains_expected = forms.BooleanField(
        required=False, initial=True, label="The answer must contain what is expected"
    )
    checks = forms.CharField(
        required=False,
        label="More checks",
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text='A JSON list, as in [{"kind": "tool_called", "tool": "search"}, {"kind": "max_seconds", "seconds": 10}].',
    )
    judge = forms.ChoiceField(required=False, help_text="An agent that sees message, expectation and answer.")
    rubric = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="For the judge.")
    repeats = forms.IntegerField(initial=1, min_value=1, max_value=20)
    max_concurrency = forms.IntegerField(initial=4, min_value=1, max_value=50, label="Questions at a time")

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agents = [(agent.agent_id, agent.agent_id) for agent in workspace.agents.offered()]
        self.fields["agent"].choices = agents  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["judge"].choices = [("", "none"), *agents]  # type: ignore[attr-defined]  # the same

    def clean_checks(self) -> Any:
        return typed_json(self.cleaned_data["checks"] or "[]")


@screen("evals", Scope.AGENTS_WRITE, methods=("GET", "POST"))
def experiment_new(visit: Visit, dataset_id: int) -> HttpResponse:
    dataset = the_dataset(visit, dataset_id)
    number = dataset.experiments.count() + 1
    form = ExperimentForm(
        visit.request.POST or None, workspace=visit.workspace, initial={"name": f"{dataset.name} {number}"}
    )
    if form.is_bound and form.is_valid():
        try:
            experiment = start_experiment(dataset, _plan(visit.workspace, form.cleaned_data), by=visit.principal.name)
            return visit.go(visit.link("experiment", experiment.pk))
        except MashError as error:
            _tell(form, error)
    context = {"dataset": dataset, "form": form}
    return visit.render("web/evals/new_experiment.html", context, status=422 if form.is_bound else 200)


def _plan(workspace: Workspace, values: dict[str, Any]) -> Plan:
    checks = values["checks"] if isinstance(values["checks"], list) else [values["checks"]]
    if values["contains_expected"]:
        checks = [{"kind": "contains"}, *checks]
    return Plan(
        name=values["name"],
        agent_version=_version(workspace, values["agent"], values["version"]),
        checks=checks,
        judge=values["judge"],
        rubric=values["rubric"],
        repeats=values["repeats"],
        max_concurrency=values["max_concurrency"],
    )


def _version(workspace: Workspace, agent_id: str, number: int | None) -> AgentVersion:
    agent = workspace.agents.select_related("current_version").get(agent_id=agent_id)
    found = agent.versions.filter(number=number).first() if number else agent.current_version
    if found is None:
        raise InvalidBody([{"type": "missing", "loc": ["body", "version"], "msg": "The agent has no such version."}])
    return found


def _tell(form: ExperimentForm, error: MashError) -> None:
    faults = error.details.get("errors", ()) if isinstance(error, InvalidBody) else ()
    for fault in faults:
        place = next((part for part in fault["loc"] if part in form.fields), None)
        form.add_error(place, fault["msg"])
    if not faults:
        form.add_error(None, error.message)


@screen("evals", Scope.AGENTS_READ)
def experiment_page(visit: Visit, experiment_id: int) -> HttpResponse:
    """`with=<id>` compares it with an earlier one of the same dataset; `show=failed` leaves out what has passed."""
    experiment = _found(visit, str(experiment_id))
    if experiment is None:
        raise Http404
    before = _found(visit, visit.request.GET.get("with", ""))
    results = experiment.results.select_related("question", "agent_request")
    if visit.request.GET.get("show") == "failed":
        results = results.filter(has_passed=False)
    others = visit.workspace.experiments.filter(dataset=experiment.dataset).exclude(pk=experiment.pk)
    context = {
        "experiment": experiment,
        "figures": experiment_figures(experiment),
        "results": results[:_MOST_SHOWN],
        "others": others[:20],
        "comparison": compare_experiments(before, experiment) if before else None,
        "before": before,
    }
    return visit.render("web/evals/experiment.html", context, partials={"results"})


def _found(visit: Visit, key: str) -> Experiment | None:
    if not key.isdecimal() or len(key) > 18:
        return None
    rows = visit.workspace.experiments.select_related("dataset", "agent_version__agent", "agent_request")
    return only(rows.filter(pk=int(key)))
