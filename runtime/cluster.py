"""The django-q2 cluster that workers live in: it tells them when to drain, and can be asked to start anew."""

import multiprocessing
import os
import signal
import sys
import time
from functools import partial

from django.conf import settings
from django_q.brokers import get_broker
from django_q.cluster import Cluster
from django_q.status import Stat
from typing_extensions import override

from runtime import news
from runtime.processes import end_with_parent

# Made before django-q2 forks, so that every process of the cluster shares them.
_context = multiprocessing.get_context("fork")
draining = _context.Event()
_cluster_process = _context.Value("i", 0)


class DrainingCluster(Cluster):  # type: ignore[misc]  # django-q2 has no types
    """Sets `draining` before django-q2's own stop, which reaches workers only behind their queued tasks."""

    @override
    def start(self) -> int:
        _cluster_process.value = os.getpid()
        return int(super().start())

    @override
    def stop(self) -> bool:
        draining.set()
        return bool(super().stop())


def run_cluster() -> None:
    """Runs until SIGTERM or SIGINT; ends with exit code 1 when the sentinel died, so that a supervisor starts anew."""
    # A pusher that outlived its cluster would go on taking wake-ups from the queue, for nobody.
    os.register_at_fork(after_in_child=partial(end_with_parent, signal.SIGKILL))
    running = DrainingCluster()
    running.start()
    while running.sentinel.is_alive():
        time.sleep(0.2)
    if not draining.is_set():
        sys.exit(1)


def ask_for_restart() -> None:
    """Stops the whole cluster in good order; the supervisor starts it again."""
    os.kill(_cluster_process.value, signal.SIGTERM)


def queue_answers() -> bool:
    """Whether the queue's server is there; without it a restart would change nothing."""
    try:
        return bool(get_broker().ping())
    except Exception:  # django-q2's brokers raise what their clients raise
        return False


def queue_length() -> int:
    """Wake-ups that no worker has taken yet."""
    return int(get_broker().queue_size())


def count_clusters() -> int:
    """Clusters that are alive: all of them by their sign of life in Redis, else this machine's by its sockets."""
    if settings.MASH_REDIS_URL:
        return len(Stat.get_all(broker=get_broker())) if queue_answers() else 0
    return news.count_mailboxes("work")
