"""The workflows' routes below `/api/v1/`; the stream of a run is in `mashsite.asgi`."""

from django.urls import path

from workflows.api import evals, hooks, schedules, views, webhooks

app_name = "workflows"
_WORKFLOW = "workflows/<str:workflow_id>"
_RUN = f"{_WORKFLOW}/runs/<str:run_id>"
_SCHEDULE = "schedules/<int:schedule_id>"
_DATASET = "datasets/<int:dataset_id>"
_EXPERIMENT = "experiments/<int:experiment_id>"
_WEBHOOK = "webhooks/<int:webhook_id>"

urlpatterns = [
    path("workflows", views.WorkflowListView.as_view(), name="workflow-list"),
    path(_WORKFLOW, views.WorkflowView.as_view(), name="workflow-detail"),
    path(f"{_WORKFLOW}/run", views.RunWorkflowView.as_view(), name="run-workflow"),
    path(f"{_WORKFLOW}/runs", views.RunListView.as_view(), name="run-list"),
    path(_RUN, views.RunView.as_view(), name="run-detail"),
    path(f"{_RUN}/steps", views.StepListView.as_view(), name="run-steps"),
    path(f"{_RUN}/cancel", views.CancelRunView.as_view(), name="run-cancel"),
    path(f"{_RUN}/resume", views.ResumeRunView.as_view(), name="run-resume"),
    path(f"{_RUN}/rerun", views.RerunRunView.as_view(), name="run-rerun"),
    path(f"{_RUN}/signal", views.SignalRunView.as_view(), name="run-signal"),
    path(f"{_WORKFLOW}/schedules", schedules.NewScheduleView.as_view(), name="new-schedule"),
    path(f"{_WORKFLOW}/inbound-hooks", hooks.NewHookView.as_view(), name="new-hook"),
    path("schedules", schedules.ScheduleListView.as_view(), name="schedule-list"),
    path(_SCHEDULE, schedules.ScheduleView.as_view(), name="schedule-detail"),
    path(f"{_SCHEDULE}/run", schedules.RunScheduleView.as_view(), name="schedule-run"),
    path("inbound-hooks", hooks.HookListView.as_view(), name="hook-list"),
    path("inbound-hooks/<int:hook_id>", hooks.HookView.as_view(), name="hook-detail"),
    path("datasets", evals.DatasetListView.as_view(), name="dataset-list"),
    path(f"{_DATASET}/rows", evals.RowListView.as_view(), name="dataset-rows"),
    path(f"{_DATASET}/experiments", evals.NewExperimentView.as_view(), name="new-experiment"),
    path("experiments", evals.ExperimentListView.as_view(), name="experiment-list"),
    path(_EXPERIMENT, evals.ExperimentView.as_view(), name="experiment-detail"),
    path(f"{_EXPERIMENT}/results", evals.ResultListView.as_view(), name="experiment-results"),
    path(f"{_EXPERIMENT}/comparison", evals.ComparisonView.as_view(), name="experiment-comparison"),
    path("webhooks", webhooks.EndpointListView.as_view(), name="webhook-list"),
    path(_WEBHOOK, webhooks.EndpointView.as_view(), name="webhook-detail"),
    path(f"{_WEBHOOK}/test", webhooks.TestEndpointView.as_view(), name="webhook-test"),
    path(f"{_WEBHOOK}/deliveries", webhooks.DeliveryListView.as_view(), name="webhook-deliveries"),
    path(
        f"{_WEBHOOK}/deliveries/<str:message_id>/redeliver",
        webhooks.RedeliverView.as_view(),
        name="webhook-redeliver",
    ),
]
