"""The closed sets of the runtime: states of a request, kinds of events, and how clients see them."""

from django.db import models


class Status(models.TextChoices):
    """Where a request stands (extensions 1)."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
FALLEN = (Status.FAILED, Status.CANCELLED)
QUEUED = (Status.ACCEPTED, Status.WAITING)
UNFINISHED = (Status.ACCEPTED, Status.WAITING, Status.RUNNING, Status.PAUSED)

# From which states a request may come into each (extensions 1). `resume` leads from a terminal state back to accepted.
LEGAL_MOVES: dict[Status, tuple[Status, ...]] = {
    Status.ACCEPTED: (Status.CANCELLED, Status.FAILED),
    Status.WAITING: QUEUED,
    Status.RUNNING: (*QUEUED, Status.PAUSED, Status.RUNNING),
    Status.PAUSED: (Status.RUNNING,),
    Status.COMPLETED: (Status.RUNNING,),
    Status.FAILED: UNFINISHED,
    Status.CANCELLED: UNFINISHED,
}


class Reason(models.TextChoices):
    """Why a request ended (extensions 1)."""

    END_TURN = "end_turn"
    MAX_STEPS = "max_steps"
    TRUNCATED = "truncated"
    CONTEXT_OVERFLOW = "context_overflow"
    BUDGET = "budget"
    QUOTA = "quota"
    DEADLINE = "deadline"
    PROVIDER_ERROR = "provider_error"
    INVALID_OUTPUT = "invalid_output"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"
    APPROVAL_EXPIRED = "approval_expired"
    WORKER_LOST = "worker_lost"
    ERROR = "error"


class RequestKind(models.TextChoices):
    TURN = "turn"
    COMPACTION = "compaction"
    WORKFLOW = "workflow"


class PauseReason(models.TextChoices):
    """What a paused request waits for."""

    INTERACTION = "interaction"
    SUBAGENT = "subagent"
    TIMER = "timer"


class WaitReason(models.TextChoices):
    SESSION_BUSY = "session_busy"
    CONCURRENCY_LIMIT = "concurrency_limit"
    QUOTA = "quota"


class EventKind(models.TextChoices):
    """Every kind of line in the log (contract 3.3, 3.4; extensions 1)."""

    REQUEST_ACCEPTED = "runtime.request.accepted"
    REQUEST_WAITING = "runtime.request.waiting"
    TRACE_STARTED = "runtime.trace.started"
    REQUEST_RECOVERED = "runtime.request.recovered"
    CONTEXT_LOADED = "runtime.context.loaded"
    THINK_STARTED = "runtime.llm.think.started"
    THINK_COMPLETED = "runtime.llm.think.completed"
    LLM_RETRY = "runtime.llm.retry"
    LLM_FALLBACK = "runtime.llm.fallback"
    TOOL_STARTED = "runtime.tool.call.started"
    TOOL_COMPLETED = "runtime.tool.call.completed"
    TOOL_INTERRUPTED = "runtime.tool.interrupted"
    STEP_COMPLETED = "runtime.step.completed"
    TURN_PERSISTED = "runtime.turn.persisted"
    REQUEST_PAUSED = "runtime.request.paused"
    REQUEST_RESUMED = "runtime.request.resumed"
    INTERACTION_CREATE = "runtime.request.interaction.create"
    INTERACTION_ACK = "runtime.request.interaction.ack"
    SUBAGENT_COMPLETED = "runtime.subagent.call.completed"
    COMPACTION_COMPLETED = "runtime.compaction.completed"
    COMPACTION_FAILED = "runtime.compaction.failed"
    WORKFLOW_STEP_STARTED = "runtime.workflow.step.started"
    WORKFLOW_STEP_COMPLETED = "runtime.workflow.step.completed"
    WORKFLOW_STEP_FAILED = "runtime.workflow.step.failed"
    WORKFLOW_STEP_SKIPPED = "runtime.workflow.step.skipped"
    WORKFLOW_SIGNAL = "runtime.workflow.signal"
    REQUEST_COMPLETED = "runtime.request.completed"
    REQUEST_FAILED = "runtime.request.failed"
    REQUEST_CANCELLED = "runtime.request.cancelled"
    AGENT_RUN_START = "agent.run.start"
    AGENT_RUN_COMPLETE = "agent.run.complete"
    AGENT_THINK_START = "agent.think.start"
    AGENT_THINK_COMPLETE = "agent.think.complete"
    AGENT_TOOL_CALL = "agent.tool.call"
    AGENT_TOOL_RESULT = "agent.tool.result"
    LLM_REQUEST_START = "llm.request.start"
    LLM_REQUEST_COMPLETE = "llm.request.complete"
    LLM_REQUEST_ERROR = "llm.request.error"
    MCP_CLIENT_CONNECT = "mcp.client.connect"
    MCP_CLIENT_CONNECTED = "mcp.client.connected"
    MCP_CLIENT_DISCONNECT = "mcp.client.disconnect"
    MCP_CLIENT_ERROR = "mcp.client.error"
    MCP_TOOL_CALL = "mcp.tool.call"
    MCP_TOOL_RESULT = "mcp.tool.result"
    MCP_TOOL_ERROR = "mcp.tool.error"
    MCP_SAMPLED = "mcp.sampling.complete"
    SEARCH_PARSE_COMPLETE = "memory.search.parse.complete"
    SEARCH_PARSE_ERROR = "memory.search.parse.error"
    SEARCH_START = "memory.search.start"
    SEARCH_RETRIEVAL_COMPLETE = "memory.search.retrieval.complete"
    SEARCH_RETRIEVAL_ERROR = "memory.search.retrieval.error"
    SEARCH_RERANK_COMPLETE = "memory.search.rerank.complete"
    SEARCH_RERANK_ERROR = "memory.search.rerank.error"
    SEARCH_COMPLETE = "memory.search.complete"
    SUBAGENT_ACCEPTED = "subagent.request.accepted"
    SUBAGENT_WAITING = "subagent.request.waiting"
    SUBAGENT_STARTED = "subagent.request.started"
    SUBAGENT_PAUSED = "subagent.request.paused"
    SUBAGENT_RESUMED = "subagent.request.resumed"
    SUBAGENT_INTERACTION_CREATE = "subagent.request.interaction.create"
    SUBAGENT_INTERACTION_ACK = "subagent.request.interaction.ack"
    SUBAGENT_TRACE = "subagent.agent.trace"
    SUBAGENT_ENDED = "subagent.request.completed"
    SUBAGENT_FAILED = "subagent.request.error"
    SUBAGENT_CANCELLED = "subagent.request.cancelled"


TERMINAL_EVENTS = (EventKind.REQUEST_COMPLETED, EventKind.REQUEST_FAILED, EventKind.REQUEST_CANCELLED)
# After these a model speaks; these and the ones that end its answer bound a text that is told live.
ASKING_EVENTS = (EventKind.LLM_REQUEST_START, EventKind.LLM_RETRY, EventKind.LLM_FALLBACK)
TEXT_BOUNDARIES = frozenset({*ASKING_EVENTS, EventKind.THINK_COMPLETED, *TERMINAL_EVENTS})
# What may not be done twice: a request that lost its worker and has one of these since has made progress.
STEP_EVENTS = (
    EventKind.THINK_COMPLETED,
    EventKind.TOOL_COMPLETED,
    EventKind.SUBAGENT_COMPLETED,
    EventKind.STEP_COMPLETED,
    EventKind.WORKFLOW_STEP_COMPLETED,
    EventKind.WORKFLOW_STEP_FAILED,
)

PUBLIC_NAMES: dict[str, str] = {
    EventKind.REQUEST_ACCEPTED: "request.accepted",
    EventKind.REQUEST_WAITING: "request.waiting",
    EventKind.TRACE_STARTED: "request.started",
    EventKind.REQUEST_PAUSED: "request.paused",
    EventKind.REQUEST_RESUMED: "request.resumed",
    EventKind.INTERACTION_CREATE: "request.interaction.create",
    EventKind.INTERACTION_ACK: "request.interaction.ack",
    EventKind.WORKFLOW_STEP_STARTED: "workflow.step.started",
    EventKind.WORKFLOW_STEP_COMPLETED: "workflow.step.completed",
    EventKind.WORKFLOW_STEP_FAILED: "workflow.step.failed",
    EventKind.WORKFLOW_STEP_SKIPPED: "workflow.step.skipped",
    EventKind.WORKFLOW_SIGNAL: "workflow.signal",
    EventKind.REQUEST_COMPLETED: "request.completed",
    EventKind.REQUEST_FAILED: "request.error",
    EventKind.REQUEST_CANCELLED: "request.cancelled",
}
