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


class InteractionNotFound(MashError):
    code = "INTERACTION_NOT_FOUND"
    status = 404


class InteractionAnswered(MashError):
    code = "INTERACTION_ANSWERED"
    status = 409


class InteractionExpired(MashError):
    code = "INTERACTION_EXPIRED"
    status = 410


class IllegalAnswer(MashError):
    """Not an answer to this kind of question; the message says what would be."""

    code = "ILLEGAL_ANSWER"
    status = 422


class NotResumable(MashError):
    """The request has not ended, has been completed, or would end again at once."""

    code = "NOT_RESUMABLE"
    status = 409


class RequestStale(MashError):
    """The session has gone on since the request ended."""

    code = "REQUEST_STALE"
    status = 409


class SessionErased(MashError):
    """What the request said is gone for good."""

    code = "SESSION_ERASED"
    status = 409


class SessionNotFound(MashError):
    code = "SESSION_NOT_FOUND"
    status = 404


class SessionExists(MashError):
    """A fork was to get the id of a session that has turns already."""

    code = "SESSION_EXISTS"
    status = 409


class TurnNotFound(MashError):
    code = "TURN_NOT_FOUND"
    status = 404


class CompactionFailed(MashError):
    """The model could not be made to sum a session up; `details` has the request's id and its error."""

    code = "RUNTIME_CLIENT_ERROR"
    status = 502


class SearchUnavailable(MashError):
    code = "SEARCH_UNAVAILABLE"
    status = 503
    retryable = True


class SearchFailed(MashError):
    code = "SEARCH_FAILED"
    status = 500
