"""What can go wrong with a model call, in the few kinds that the runtime treats differently."""

# The names say what happened; "Error" after each would add nothing.

from typing import Any

from workspaces.errors import MashError

MESSAGE_LIMIT = 500


class LLMError(MashError):
    """Root of the family; `retry_after_s` is how long the vendor asked us to wait, if it did."""

    code = "llm_error"
    status = 502

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message[:MESSAGE_LIMIT], details=details)
        self.retry_after_s = retry_after_s


class RateLimited(LLMError):
    """The vendor says that we ask too often."""

    code = "rate_limited"
    retryable = True


class Overloaded(LLMError):
    """The vendor has trouble of its own (5xx, 529)."""

    code = "overloaded"
    retryable = True


class Unreachable(LLMError):
    """No whole answer came: the connection could not be made or was closed."""

    code = "unreachable"
    retryable = True


class ProviderTimeout(Unreachable):
    """The vendor did not answer within the time allowed."""

    code = "provider_timeout"


class AddressNotAllowed(LLMError):
    """The base URL leads to a private address that the operator has not allowed; trying again changes nothing."""

    code = "address_not_allowed"
    status = 409


class InvalidAnswer(LLMError):
    """The answer was not what the vendor's API promises."""

    code = "invalid_answer"
    retryable = True


class Refused(LLMError):
    """The model or the vendor's filter declined; the message carries the text of the refusal."""

    code = "refused"


class ContextTooLong(LLMError):
    """The conversation does not fit the model's window."""

    code = "context_length_exceeded"


class BadCredential(LLMError):
    """There is no key, or the vendor does not accept it for this."""

    code = "bad_credential"


class RequestRejected(LLMError):
    """The vendor will not accept this request however often it is sent."""

    code = "request_rejected"


class UnsuitableModel(RequestRejected, ValueError):
    """The model's name cannot belong to this kind of provider."""


class CallStopped(LLMError):
    """The caller's stop signal ended the call: cancelled, or out of time."""

    code = "call_stopped"
