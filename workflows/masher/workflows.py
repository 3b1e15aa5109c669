"""Masher's two workflows (contract 7.5): the work is code, and no model relays JSON."""

from workflows.code import code_function
from workflows.masher.collect import curate_online_evals, digest_traces
from workflows.spec import CodeTask, WorkflowSpec

MASHER_AGENT_ID = "masher"
TRACE_DIGEST_WORKFLOW_ID = "masher-trace-digest"
TRACE_DIGEST_TASK_ID = "digest-traces"
ONLINE_EVAL_WORKFLOW_ID = "masher-online-eval-curation"
ONLINE_EVAL_TASK_ID = "curate-online-evals"
_INPUT = (
    'Input: {"mode": "incremental", "target_agent_id": "assistant", "limit": 100} for what has ended since the last run, '
    'or {"mode": "trace", "target_agent_id", "session_id", "trace_id"} for one.'
)


def build_masher_workflow_specs() -> list[WorkflowSpec]:
    """The digest of traces, and the curation of rows for evals; both may be run again after a crash."""
    digest = code_function(digest_traces, name="digest_traces", crash_policy="idempotent", timeout_s=600)
    curate = code_function(curate_online_evals, name="curate_online_evals", crash_policy="idempotent", timeout_s=600)
    tasks = {
        TRACE_DIGEST_WORKFLOW_ID: CodeTask(TRACE_DIGEST_TASK_ID, digest, agent_id=MASHER_AGENT_ID),
        ONLINE_EVAL_WORKFLOW_ID: CodeTask(ONLINE_EVAL_TASK_ID, curate, agent_id=MASHER_AGENT_ID),
    }
    kept = {TRACE_DIGEST_WORKFLOW_ID: "a diagnosis", ONLINE_EVAL_WORKFLOW_ID: "a row for evals"}
    return [
        WorkflowSpec(workflow_id, [task], description=f"Keeps {kept[workflow_id]} of each trace. {_INPUT}")
        for workflow_id, task in tasks.items()
    ]
