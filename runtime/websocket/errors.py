"""What can go wrong with a subscription, besides what can go wrong with a stream."""

from workspaces.errors import MashError


class AlreadySubscribed(MashError):
    code = "ALREADY_SUBSCRIBED"
    status = 409


class NotSubscribed(MashError):
    code = "NOT_SUBSCRIBED"
    status = 404


class TooManySubscriptions(MashError):
    """`details.limit` is how many one connection may have."""

    code = "TOO_MANY_SUBSCRIPTIONS"
    status = 429


class AccessEnded(MashError):
    """The token or membership behind the connection has ended, so the connection does."""

    code = "UNAUTHORIZED"
    status = 401
