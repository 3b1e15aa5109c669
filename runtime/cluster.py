"""The django-q2 cluster that workers live in: it tells them when to drain, and can be asked to start anew."""

import logging
import os
import signal
import sys
import time
from multiprocessing.sharedctypes import RawValue

from django.conf import settings
from django_q.brokers import get_broker
from django_q.cluster import Cluster
from django_q.status import Stat
from typing_extensions import override

from runtime import news
from runtime.parent import kill_forks_with_us

logger = logging.getLogger(__name__)

# On top of the drain; the supervisor's patience ends 10 s after the drain.
_STOP_WITHIN_S = 6.0


class SharedFlag:
    """A flag in memory that forks share. It has no lock: one held by a process that is killed stays locked for good."""

    def __init__(self) -> None:
        self._value = RawValue("b", 0)

    def set(self) -> None:
        self._value.value = 1

    def is_set(self) -> bool:
        return bool(self._value.value)


# Made before django-q2 forks, so that every process of the cluster shares them.
draining = SharedFlag()
_cluster_process = RawValue("i", 0)


class DrainingCluster(Cluster):  # type: ignore[misc]  # django-q2 has no types
    """Sets `draining` before django-q2's own stop, which reaches workers only behind their queued tasks.

    And bounds that stop: a guard that waits for a lock of a killed process, or for a suspended one, would wait for ever.
    """

    @override
    def start(self) -> int:
        _cluster_process.value = os.getpid()
        return int(super().start())

    @override
    def stop(self) -> bool:
        draining.set()
        if not self.sentinel.is_alive():
            return False
        self.stop_event.set()
        self.sentinel.join(settings.MASH_DRAIN_SECONDS + _STOP_WITHIN_S)
        if self.sentinel.is_alive():
            logger.error("The cluster did not stop in good order; killing it", extra={"action": "cluster.killed"})
            self.sentinel.kill()
            self.sentinel.join()
        return True


def run_cluster() -> None:
    """Runs until SIGTERM or SIGINT; ends with exit code 1 when the sentinel died, so that a supervisor starts anew."""
    kill_forks_with_us()
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
