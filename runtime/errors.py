"""What can go wrong with a request, besides the model's own errors."""

from workspaces.errors import MashError


class StaleAttempt(MashError):
    """Another worker has taken this request over; what this one still holds is dropped."""

    code = "STALE_ATTEMPT"
    status = 409


class RequestCancelled(MashError):
    """Somebody asked the request to stop; `details.reason` says why."""

    code = "cancelled"
    status = 409


class DeadlineExceeded(MashError):
    code = "deadline_exceeded"
    status = 504


class AgentNotFound(MashError):
    code = "AGENT_NOT_FOUND"
    status = 404


class AgentDisabled(MashError):
    code = "AGENT_DISABLED"
    status = 409


class RequestNotFound(MashError):
    code = "REQUEST_NOT_FOUND"
    status = 404


class SessionBusy(MashError):
    """`multitask: reject` met a session that works already; `details.request_id` is the active request."""

    code = "SESSION_BUSY"
    status = 409


class IdempotencyMismatch(MashError):
    code = "IDEMPOTENCY_MISMATCH"
    status = 422


class QueueFull(MashError):
    """The workspace has as many unfinished requests as it may; `details.retry_after_s` says when to try again."""

    code = "QUEUE_FULL"
    status = 429
    retryable = True


class CursorAhead(MashError):
    """The stream's cursor is beyond the head of the log."""

    code = "CURSOR_AHEAD"
    status = 409
