"""What django-q2 calls in a worker process."""

from collections.abc import Callable

_hand_over: Callable[[int], None] | None = None


def deliver_to(hand_over: Callable[[int], None]) -> None:
    """Says who takes this process's requests: its engine, when it starts."""
    global _hand_over
    _hand_over = hand_over


def run_request(request_pk: int) -> None:
    """Hands the request to this process's threads and returns at once."""
    if _hand_over is None:
        raise RuntimeError("No engine runs in this process: tasks of this queue belong to `manage.py mash_worker`.")
    _hand_over(request_pk)
