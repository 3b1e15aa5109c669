"""Who holds a socket: asked when it opens, and again for every command, as it may outlive a token or a membership."""

from runtime.sse import Scope, http_request
from workspaces.authenticate import Principal, authenticate_handshake
from workspaces.errors import MashError

_SCHEMES = {"ws": "http", "wss": "https"}


class AccessEnded(MashError):
    """Who opened the socket may no longer hold it."""

    code = "UNAUTHORIZED"
    status = 401


def principal_of_handshake(scope: Scope) -> Principal:
    """The caller; raises `Unauthorized` and its kin."""
    scheme = _SCHEMES.get(scope.get("scheme", "ws"), "http")
    return authenticate_handshake(http_request({**scope, "type": "http", "method": "GET", "scheme": scheme}))


def present_principal(scope: Scope) -> Principal:
    """The caller with the rights of this moment; `AccessEnded` if the handshake would fail by now."""
    try:
        return principal_of_handshake(scope)
    except MashError as error:
        raise AccessEnded("Access has ended since this socket was opened.") from error
