"""The error family of the house: each failure has a stable code, an HTTP status and a text that is safe to show."""

from typing import Any


class MashError(Exception):
    """Root of every error that a caller may see. `str(error)` is written for the caller and holds no secret.

    `code` is stable and part of the API; `status` is the HTTP status; `retryable` says whether the same call may succeed later.
    """

    code = "ERROR"
    status = 500
    retryable = False

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details or {}
