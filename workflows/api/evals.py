"""Datasets and experiments over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.models import AgentVersion
from runtime.api.parameters import CURSOR, LIMIT
from runtime.api.responses import enveloped
from runtime.errors import AgentNotFound
from workflows.api.shapes import Shape
from workflows.errors import DatasetNotFound, ExperimentNotFound
from workflows.evals.compare import compare_experiments, experiment_figures
from workflows.evals.datasets import MOST_CHARACTERS, add_rows, make_dataset
from workflows.evals.experiments import Plan, start_experiment
from workflows.evals.models import Dataset, DatasetRow, Experiment, ExperimentResult
from workflows.public import STATUSES, shown_status
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import InvalidBody, data
from workspaces.api.pagination import newest_first
from workspaces.api.serializers import BodySerializer, StrictCharField, StrictIntegerField, read_body
from workspaces.models import Workspace
from workspaces.roles import Scope
from workspaces.scoping import only


class DatasetBody(BodySerializer):
    name = StrictCharField(max_length=100)
    description = StrictCharField(max_length=1000, allow_blank=True, default="")


class RowBody(BodySerializer):
    message = StrictCharField(max_length=MOST_CHARACTERS, trim_whitespace=False)
    expected = StrictCharField(max_length=MOST_CHARACTERS, trim_whitespace=False, allow_blank=True, default="")
    metadata = serializers.DictField(default=dict)


class RowsBody(BodySerializer):
    rows = RowBody(many=True)


class ExperimentBody(BodySerializer):
    name = StrictCharField(max_length=100)
    agent_id = StrictCharField(max_length=150)
    agent_version = StrictIntegerField(required=False, allow_null=True, min_value=1)
    checks = serializers.ListField(child=serializers.DictField(), default=list, max_length=50)
    judge = StrictCharField(max_length=150, allow_blank=True, default="", help_text="Id of the agent that judges.")
    rubric = StrictCharField(max_length=20_000, allow_blank=True, default="")
    repeats = StrictIntegerField(min_value=1, max_value=20, default=1)
    max_concurrency = StrictIntegerField(min_value=1, max_value=50, default=4)


class DatasetShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)


class DatasetListShape(Shape):
    datasets = DatasetShape(many=True)


class RowShape(Shape):
    id = serializers.IntegerField()
    message = serializers.CharField()
    expected = serializers.CharField(allow_blank=True)
    metadata = serializers.JSONField()
    row_status = serializers.ChoiceField(DatasetRow.Status.choices)
    trace_id = serializers.UUIDField(allow_null=True)


class RowListShape(Shape):
    rows = RowShape(many=True)
    next = serializers.CharField(allow_null=True)


class AddedShape(Shape):
    added = serializers.IntegerField()


class ExperimentShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    dataset = serializers.CharField()
    agent_id = serializers.CharField()
    agent_version = serializers.IntegerField()
    status = serializers.ChoiceField(STATUSES)
    request_id = serializers.UUIDField()
    figures = serializers.JSONField(help_text="pass_rate with its 95% interval, score, cost_usd, p50_ms, p95_ms.")


class ExperimentListShape(Shape):
    experiments = ExperimentShape(many=True)
    next = serializers.CharField(allow_null=True)


class ResultListShape(Shape):
    results = serializers.ListField(child=serializers.JSONField())
    next = serializers.CharField(allow_null=True)


class ComparisonShape(Shape):
    before = serializers.JSONField()
    after = serializers.JSONField()
    changes = serializers.ListField(child=serializers.JSONField(), help_text="What has become worse comes first.")


class DatasetListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ, "POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="list_datasets", responses=enveloped(DatasetListShape))
    def get(self, request: Request) -> Response:
        """List the workspace's datasets."""
        return data({"datasets": [_dataset_row(each) for each in principal_of(request).workspace.datasets.all()]})

    @extend_schema(operation_id="make_dataset", request=DatasetBody, responses=enveloped(DatasetShape))
    def post(self, request: Request) -> Response:
        """Make a dataset, which is empty at first."""
        principal, body = principal_of(request), read_body(request, DatasetBody)
        dataset = make_dataset(principal.workspace, body["name"], by=principal.name, description=body["description"])
        return data(_dataset_row(dataset))


class RowListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ, "POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="list_dataset_rows", parameters=[LIMIT, CURSOR], responses=enveloped(RowListShape))
    def get(self, request: Request, dataset_id: int) -> Response:
        """List a dataset's rows, newest first."""
        page, cursor = newest_first(request, _the_dataset(request, dataset_id).questions.all())
        return data({"rows": [_row(each) for each in page], "next": cursor})

    @extend_schema(operation_id="add_dataset_rows", request=RowsBody, responses=enveloped(AddedShape))
    def post(self, request: Request, dataset_id: int) -> Response:
        """Add rows: all of them or none."""
        dataset, body = _the_dataset(request, dataset_id), read_body(request, RowsBody)
        return data({"added": add_rows(dataset, body["rows"], source="hand")})


class NewExperimentView(APIView):
    required_scopes = {"POST": Scope.AGENTS_WRITE}

    @extend_schema(operation_id="start_experiment", request=ExperimentBody, responses=enveloped(ExperimentShape))
    def post(self, request: Request, dataset_id: int) -> Response:
        """Ask an agent's version every accepted row of the dataset."""
        dataset, body = _the_dataset(request, dataset_id), read_body(request, ExperimentBody)
        version = _version(dataset.workspace, body.pop("agent_id"), body.pop("agent_version", None))
        experiment = start_experiment(dataset, Plan(agent_version=version, **body), by=principal_of(request).name)
        return data(_experiment_row(experiment))


class ExperimentListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(
        operation_id="list_experiments", parameters=[LIMIT, CURSOR], responses=enveloped(ExperimentListShape)
    )
    def get(self, request: Request) -> Response:
        """List experiments, newest first."""
        page, cursor = newest_first(request, _with_all(principal_of(request).workspace))
        return data({"experiments": [_experiment_row(each) for each in page], "next": cursor})


class ExperimentView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(operation_id="get_experiment", responses=enveloped(ExperimentShape))
    def get(self, request: Request, experiment_id: int) -> Response:
        """Tell how it goes, and what its answers are worth together."""
        return data(_experiment_row(_the_experiment(request, experiment_id)))


class ResultListView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(
        operation_id="list_experiment_results", parameters=[LIMIT, CURSOR], responses=enveloped(ResultListShape)
    )
    def get(self, request: Request, experiment_id: int) -> Response:
        """List what each answer was worth."""
        rows = _the_experiment(request, experiment_id).results.select_related("question", "agent_request")
        page, cursor = newest_first(request, rows)
        return data({"results": [_result(each) for each in page], "next": cursor})


class ComparisonView(APIView):
    required_scopes = {"GET": Scope.AGENTS_READ}

    @extend_schema(
        operation_id="compare_experiments",
        parameters=[OpenApiParameter("before", OpenApiTypes.INT, required=True)],
        responses=enveloped(ComparisonShape),
    )
    def get(self, request: Request, experiment_id: int) -> Response:
        """Compare it with an earlier one, question by question."""
        after, text = _the_experiment(request, experiment_id), request.query_params.get("before", "")
        if not (text.isdecimal() and len(text) < 19):
            fault = {"type": "int_parsing", "loc": ["query", "before"], "msg": "The id of the earlier experiment."}
            raise InvalidBody([fault])
        before = _the_experiment(request, int(text))
        comparison = compare_experiments(before, after)
        changes = [
            {
                "question_id": change.question_id,
                "message": change.message,
                "before": change.before_rate,
                "after": change.after_rate,
                "answer_before": change.before.answer,
                "answer_after": change.after.answer,
            }
            for change in comparison.changes
        ]
        return data({"before": comparison.before.as_json(), "after": comparison.after.as_json(), "changes": changes})


def _the_dataset(request: Request, dataset_id: int) -> Dataset:
    found = only(principal_of(request).workspace.datasets.select_related("workspace").filter(pk=dataset_id))
    if found is None:
        raise DatasetNotFound("There is no such dataset.")
    return found


def _the_experiment(request: Request, experiment_id: int) -> Experiment:
    found = only(_with_all(principal_of(request).workspace).filter(pk=experiment_id))
    if found is None:
        raise ExperimentNotFound("There is no such experiment.")
    return found


def _with_all(workspace: Workspace) -> QuerySet[Experiment]:
    return workspace.experiments.select_related("dataset", "agent_version__agent", "agent_request")


def _version(workspace: Workspace, agent_id: str, number: int | None) -> AgentVersion:
    agent = workspace.agents.offered().select_related("current_version").filter(agent_id=agent_id).first()
    found = (agent.versions.filter(number=number).first() if number else agent.current_version) if agent else None
    if found is None:
        raise AgentNotFound("There is no such agent, or it has no such version.")
    return found


def _dataset_row(dataset: Dataset) -> dict[str, Any]:
    return {"id": dataset.pk, "name": dataset.name, "description": dataset.description}


def _row(row: DatasetRow) -> dict[str, Any]:
    return {
        "id": row.pk,
        "message": row.message,
        "expected": row.expected,
        "metadata": row.metadata,
        "row_status": row.status,
        "trace_id": str(row.trace_id) if row.trace_id else None,
    }


def _experiment_row(experiment: Experiment) -> dict[str, Any]:
    run = experiment.agent_request
    assert run  # noqa: S101  it is started with the experiment
    return {
        "id": experiment.pk,
        "name": experiment.name,
        "dataset": experiment.dataset.name,
        "agent_id": experiment.agent_version.agent.agent_id,
        "agent_version": experiment.agent_version.number,
        "status": shown_status(run.status),
        "request_id": str(run.request_id),
        "figures": experiment_figures(experiment).as_json(),
    }


def _result(result: ExperimentResult) -> dict[str, Any]:
    return {
        "question_id": result.question_id,
        "message": result.question.message,
        "repeat": result.repeat,
        "request_id": str(result.agent_request.request_id) if result.agent_request else None,
        "answer": result.answer,
        "error": result.error,
        "checks": result.checks,
        "score": result.score,
        "explanation": result.explanation,
        "has_passed": result.has_passed,
        "cost_usd": float(result.cost_usd),
        "duration_ms": result.duration_ms,
    }
