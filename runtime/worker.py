"""A worker process: threads that run requests, beside the sweeper that keeps them (design.md 3, step 4, and 5)."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.util import Finalize
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from agents.stop_signal import StopSignal
from runtime import cluster, lease
from runtime.claim import claim
from runtime.execute import execute_request
from runtime.recover import find_runnable
from runtime.settle import settle
from runtime.sweeper import Sweeper
from runtime.tasks import deliver_to
from workspaces.connections import keep_connections

logger = logging.getLogger(__name__)


def start_engine(**_: Any) -> None:
    """Runs in each new worker process (django-q2's `post_spawn`), after the last fork."""
    keep_connections()
    settle()
    engine = Engine()
    deliver_to(engine.hand_over)
    Sweeper(engine).start()
    # Runs before the interpreter shuts down: from then on no thread starts, and steps that run still need some.
    Finalize(engine, engine.finish, exitpriority=1)


class Engine:
    """Up to `MASH_WORKER_THREADS` requests at a time, most of which wait for a model."""

    def __init__(self) -> None:
        self.owner = lease.new_owner()
        self.held: dict[int, StopSignal] = {}
        """Requests that run here, by key, with what stops them."""
        self.deliveries = 0
        self._threads = ThreadPoolExecutor(settings.MASH_WORKER_THREADS, thread_name_prefix="request")
        self._slots = threading.Semaphore(settings.MASH_WORKER_THREADS)
        self._in_hand: set[int] = set()
        self._lock = threading.Lock()
        self._overflowed = threading.Event()

    def hand_over(self, request_pk: int) -> None:
        """Runs the request in a free thread; never blocks. A full pool leaves it to the thread that is free first."""
        self.deliveries += 1
        if cluster.draining.is_set():
            return
        if self._slots.acquire(blocking=False):
            self._threads.submit(self._work, request_pk)
        else:
            self._overflowed.set()

    def sweep_in(self, request_pk: int) -> bool:
        """The same for what the sweeper found; True if a thread took it."""
        with self._lock:
            if request_pk in self._in_hand:
                return False
        if not self._slots.acquire(blocking=False):
            return False
        self._threads.submit(self._work, request_pk)
        return True

    def free_threads(self) -> int:
        return settings.MASH_WORKER_THREADS - len(self._in_hand)

    def finish(self) -> None:
        """Waits for the requests that run here; when that takes too long, the sweeper ends the process."""
        self._threads.shutdown()

    def _work(self, request_pk: int | None) -> None:
        try:
            while request_pk is not None:
                took = self._run(request_pk)
                request_pk = self._next_overflowed() if took else None
        except Exception:  # the top of a thread: one request's trouble must not end the others
            logger.exception("A worker thread failed", extra={"action": "worker.failed"})
        finally:
            self._slots.release()
            close_old_connections()

    def _run(self, request_pk: int) -> bool:
        """Claims and runs; False when there was nothing to claim."""
        with self._hand_on(request_pk) as is_mine:
            agent_request = claim(request_pk, self.owner) if is_mine else None
            if agent_request is None:
                return False
            self.held[request_pk] = stop = StopSignal()
            try:
                execute_request(agent_request, should_stop=cluster.draining.is_set, stop=stop)
            finally:
                self.held.pop(request_pk, None)
        return True

    def _next_overflowed(self) -> int | None:
        """After a full pool: the oldest request that nobody runs, if there is one."""
        if not self._overflowed.is_set() or cluster.draining.is_set():
            return None
        found = find_runnable(1)
        if not found:
            self._overflowed.clear()
        return found[0] if found else None

    @contextmanager
    def _hand_on(self, request_pk: int) -> Iterator[bool]:
        """True for the first thread of this process that has this request in hand."""
        with self._lock:
            is_mine = request_pk not in self._in_hand
            self._in_hand.add(request_pk)
        try:
            yield is_mine
        finally:
            if is_mine:
                with self._lock:
                    self._in_hand.discard(request_pk)
