"""What this room has taken from requests, and where it has said it again: both go when a session is erased."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from runtime.erase_reach import AgentSession, with_subagents
from runtime.models import AgentRequestQuerySet
from workflows.evals.models import DatasetRow
from workflows.masher.artifacts import erase_lines
from workflows.masher.models import MasherRow
from workflows.masher.workflows import ONLINE_EVAL_WORKFLOW_ID, TRACE_DIGEST_WORKFLOW_ID
from workspaces.models import Workspace


class TakenCopies:
    """Rows of Masher and of datasets, with their results, and what webhooks have told."""

    tables = ("masher_rows", "dataset_rows", "webhook_deliveries")

    def sessions(self, workspace: Workspace, requests: AgentRequestQuerySet) -> Iterator[AgentSession]:
        """Those of Masher's runs over one of the traces, of experiments' runs, and of what these have asked."""
        for run in _runs(workspace, requests).select_related("agent"):
            yield run.agent, run.session_id
        questions = _questions(workspace, requests)
        asked = workspace.agent_requests.filter(pk__in=questions.values("results__agent_request")).select_related(
            "agent"
        )
        for row in asked:
            beside = row.parent_call.rpartition("/")[0]
            siblings = workspace.agent_requests.filter(parent=row.parent_id, parent_call__startswith=f"{beside}/")
            yield from with_subagents(workspace, [(each.agent, each.session_id) for each in siblings])

    def count(self, workspace: Workspace, requests: AgentRequestQuerySet) -> int:
        return sum(rows.count() for rows in self._rows(workspace, requests).values())

    def erase(self, workspace: Workspace, requests: AgentRequestQuerySet) -> Mapping[str, int]:
        traces = {str(trace_id) for trace_id in requests.values_list("trace_id", flat=True) if trace_id}
        with transaction.atomic():
            counts = {name: rows.count() for name, rows in self._rows(workspace, requests).items()}
            for rows in self._rows(workspace, requests).values():
                rows.delete()
            for kind in MasherRow.Kind:
                erase_lines(workspace, kind, traces)
        return counts

    def _rows(self, workspace: Workspace, requests: AgentRequestQuerySet) -> dict[str, "QuerySet[Any]"]:
        taken = workspace.masher_rows.filter(trace_id__in=requests.values("trace_id"))
        told = workspace.webhook_deliveries.filter(agent_request__in=requests.values("pk"))
        return dict(zip(self.tables, (taken, _questions(workspace, requests), told), strict=True))


def _questions(workspace: Workspace, requests: AgentRequestQuerySet) -> "QuerySet[DatasetRow]":
    return workspace.dataset_rows.filter(trace_id__in=requests.values("trace_id"))


def _runs(workspace: Workspace, requests: AgentRequestQuerySet) -> AgentRequestQuerySet:
    """Their logs repeat what was said. A question can only be in experiments that were started after it was taken."""
    questions = _questions(workspace, requests)
    experiments = workspace.experiments.filter(
        dataset__questions__in=questions.values("pk"), created_at__gte=F("dataset__questions__created_at")
    )
    sessions = list(requests.order_by().values_list("session_id", flat=True).distinct())
    masher = workspace.workflow_runs.filter(
        workflow__workflow_id__in=(TRACE_DIGEST_WORKFLOW_ID, ONLINE_EVAL_WORKFLOW_ID), input__session_id__in=sessions
    )
    return workspace.agent_requests.filter(
        Q(pk__in=experiments.values("agent_request")) | Q(pk__in=masher.values("pk"))
    )
