"""What tasks remember between runs: changed only by a run that is completed, and only if nobody was quicker."""

from django.utils import timezone

from workflows.open_run import OpenRun


def save(run: OpenRun) -> None:
    """In the transaction that completes the run. A state that another run has changed meanwhile stays as that run left it."""
    for path, node in run.progress.nodes.items():
        if node.status != "completed" or node.state is None:
            continue
        task_id, now = path.rsplit("/", 1)[-1], timezone.now()
        rows = run.row.workflow.task_states
        if node.state_revision:
            found = rows.filter(task_id=task_id, revision=node.state_revision)
            found.update(value=node.state, revision=node.state_revision + 1, updated_at=now)
        else:
            about = {"value": node.state, "updated_at": now, "workspace": run.row.workspace}
            rows.get_or_create(task_id=task_id, defaults=about)
