"""Once a second in every worker process: keeps its leases, picks up what was left behind, and notices when to stop."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import Error, close_old_connections
from django.db.models.functions import Now
from typing_extensions import override

from agents.stop_signal import StopSignal
from runtime import cluster, lease
from runtime.attachments import store as attachments
from runtime.models import AgentRequest
from runtime.recover import QUEUE_GRACE, count_accepted, find_runnable
from workspaces.sqlite.statistics import refresh_statistics

logger = logging.getLogger(__name__)

_TICK_S = 1.0
_LONGEST_RENEWAL_S = 5.0
# django-q2 asks an idle worker to stop through its queue, which is deaf after a worker was killed in it.
_STOP_COMES_WITHIN_S = 3.0
_QUEUE_SILENT_S = 30.0
_MISSED_DELIVERIES = 3
_TIDY_EVERY_S = 3600.0
_LOOK_AT_TABLES_EVERY_S = 600.0


every_second: list[Callable[[], None]] = []
"""What rooms above this one have to look after; each is short, and what it raises is logged."""


class Worker(Protocol):
    """What the sweeper needs to know of the engine beside it."""

    owner: str
    held: dict[int, StopSignal]
    deliveries: int

    def sweep_in(self, request_pk: int) -> bool: ...

    def free_threads(self) -> int: ...


class Sweeper(threading.Thread):
    def __init__(self, engine: Worker) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._engine = engine
        self._parent = os.getppid()
        self._renewed_at = time.monotonic()
        self._renew_every_s = min(_LONGEST_RENEWAL_S, settings.MASH_LEASE_SECONDS / 3)
        self._drain_began: float | None = None
        self._last_delivery = (0, time.monotonic())
        self._missed = 0
        self._tidied_at = time.monotonic()
        self._looked_at_tables_at = time.monotonic()

    @override
    def run(self) -> None:
        while True:
            try:
                self._tick()
            except Error as error:
                logger.warning("The sweeper cannot reach the database: %s", error, extra={"action": "sweep.failed"})
            except Exception:  # the sweeper is what recovery stands on: it goes on whatever happens
                logger.exception("The sweeper failed", extra={"action": "sweep.failed"})
            close_old_connections()
            time.sleep(_TICK_S if self._drain_began is None else _TICK_S / 4)

    def _tick(self) -> None:
        if os.getppid() != self._parent:
            logger.warning("The cluster is gone; this worker ends", extra={"action": "worker.orphaned"})
            os._exit(1)
        if time.monotonic() - self._renewed_at >= self._renew_every_s:
            self._renew()
        self._stop_cancelled()
        if cluster.draining.is_set():
            self._drain()
        else:
            self._pick_up()
            self._tidy()
            for look in every_second:
                look()

    def _tidy(self) -> None:
        """Once an hour, and then a few files per tick so that leases are renewed in between; tables grow faster."""
        if time.monotonic() - self._tidied_at >= _TIDY_EVERY_S and attachments.sweep() == 0:
            SessionStore.clear_expired()
            self._tidied_at = time.monotonic()
        if time.monotonic() - self._looked_at_tables_at >= _LOOK_AT_TABLES_EVERY_S:
            refresh_statistics()
            self._looked_at_tables_at = time.monotonic()

    def _renew(self) -> None:
        held = list(self._engine.held)
        if held:
            lease.renew(self._engine.owner, held)
        self._renewed_at = time.monotonic()

    def _stop_cancelled(self) -> None:
        """Tells the model calls and tools of this process whose requests somebody has cancelled."""
        held = {key: stop for key, stop in list(self._engine.held.items()) if not stop.is_set()}
        if held:
            cancelled = AgentRequest.rows.running().filter(pk__in=held).exclude(cancel_reason="")
            for request_pk in cancelled.values_list("pk", flat=True):
                held[request_pk].set("cancelled")

    def _drain(self) -> None:
        """Steps may finish for a while; then what still runs is given up and goes on in another process."""
        self._drain_began = self._drain_began or time.monotonic()
        patience_s = settings.MASH_DRAIN_SECONDS if self._engine.held else _STOP_COMES_WITHIN_S
        if time.monotonic() - self._drain_began < patience_s:
            return
        held = AgentRequest.rows.running().filter(pk__in=list(self._engine.held), lease_owner=self._engine.owner)
        given_up = held.update(lease_owner="", lease_expires_at=Now())
        logger.warning("Stopping with %s requests unfinished; they go on elsewhere", given_up)
        os._exit(0)

    def _pick_up(self) -> None:
        free = self._engine.free_threads()
        found = find_runnable(free, grace=QUEUE_GRACE) if free > 0 else []
        # A request that waits for its session or a slot was delivered once; one that is still accepted never was.
        undelivered = count_accepted(found)
        for request_pk in found:
            self._engine.sweep_in(request_pk)
        if undelivered:
            logger.info("Picking up %s requests ahead of the queue", undelivered, extra={"action": "sweep"})
        self._watch_queue(undelivered)

    def _watch_queue(self, undelivered: int) -> None:
        """A killed worker can leave django-q2's queue locked for good; then the cluster must start anew."""
        if self._engine.deliveries != self._last_delivery[0]:
            self._last_delivery = (self._engine.deliveries, time.monotonic())
            self._missed = 0
        if time.monotonic() - self._last_delivery[1] <= _QUEUE_SILENT_S:
            # A burst is slow to deliver, and what is picked up meanwhile says nothing about the quiet that follows.
            return
        self._missed += undelivered
        if self._missed >= _MISSED_DELIVERIES and cluster.queue_answers():
            logger.error("The queue delivers nothing; restarting the cluster", extra={"action": "cluster.restart"})
            self._missed = 0
            cluster.ask_for_restart()
