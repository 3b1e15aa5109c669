"""How many streams of pages one person, and one workspace, may keep open in a process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from workspaces.authenticate import Principal
from workspaces.errors import MashError

# A browser opens six connections to a host at most, and closes the streams of tabs that nobody sees.
MOST_OF_A_PERSON = 12
MOST_OF_A_WORKSPACE = 500


class TooManyStreams(MashError):
    """The page stays as it is; the browser tries again later."""

    code = "TOO_MANY_STREAMS"
    status = 429
    retryable = True


_open: Counter[tuple[str, int]] = Counter()


@contextmanager
def counted(principal: Principal) -> Iterator[None]:
    """Counts one stream while it is open; refuses what would be too many."""
    user_pk = principal.user.pk if principal.user else 0
    kept = {("person", user_pk): MOST_OF_A_PERSON, ("workspace", principal.workspace.pk): MOST_OF_A_WORKSPACE}
    for key, most in kept.items():
        if _open[key] >= most:
            raise TooManyStreams(f"There are {most} live pages open for this {key[0]} already; close some.")
    _open.update(kept.keys())
    try:
        yield
    finally:
        _open.subtract(kept.keys())
