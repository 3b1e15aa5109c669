"""What a client is told when a call to the deployment does not succeed."""

from typing import Any

import httpx
from typing_extensions import override

# Answers of a deployment that restarts or has too much to do: the same call may succeed soon.
_PASSING = frozenset({429, 502, 503, 504})


class MashHostClientError(Exception):
    """A call that failed: the server's message and code, or why there was no answer (`status` is None then)."""

    def __init__(self, message: str, *, method: str, path: str, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.method = method
        self.path = path
        self.status = status
        self.code = code

    @override
    def __str__(self) -> str:
        answer = " ".join(str(part) for part in (self.status, self.code) if part)
        return f"{self.method} {self.path}: {answer + ': ' if answer else ''}{self.message}"

    @property
    def is_passing(self) -> bool:
        return self.status is None or self.status in _PASSING


def unreachable(error: Exception, *, method: str, path: str) -> MashHostClientError:
    """For a call that broke off before there was an answer."""
    reason = str(error) or type(error).__name__
    return MashHostClientError(f"No answer from the deployment: {reason}", method=method, path=path)


def refused(response: httpx.Response) -> MashHostClientError:
    """For an answer of 400 or above, whose body has been read."""
    fault = _fault(response)
    return MashHostClientError(
        str(fault.get("message") or response.reason_phrase or "The call failed."),
        method=response.request.method,
        path=response.request.url.path,
        status=response.status_code,
        code=str(fault.get("code") or ""),
    )


def _fault(response: httpx.Response) -> dict[str, Any]:
    """The error of our envelope; empty for an answer that is not ours, such as a proxy's page."""
    try:
        body = response.json()
    except ValueError:
        return {}
    fault = body.get("error") if isinstance(body, dict) else None
    return fault if isinstance(fault, dict) else {}
