"""What can go wrong with a server. The texts are safe to show: they hold none of the server's secrets."""


class McpError(Exception):
    """The server could not be used, or a call of it failed."""


class McpStopped(McpError):
    """The request was stopped while it waited for the server."""


class SessionLost(McpError):
    """The server does not know our session any more; what was asked has not been done."""
