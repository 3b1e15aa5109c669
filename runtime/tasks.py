"""What django-q2 calls in a worker process."""

from runtime import worker


def run_request(request_pk: int) -> None:
    """Hands the request to this process's threads and returns at once."""
    worker.current_engine().hand_over(request_pk)
