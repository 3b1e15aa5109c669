"""Wakes workers through django-q2. The queue is only a wake-up: the request's row is the truth (design.md 3)."""

import logging
import select
import time
from functools import cache, cached_property
from socket import socket
from typing import Any

import redis
from django.conf import settings
from django.db import Error, transaction
from django_q.brokers import Broker, get_broker, orm, redis_broker
from django_q.tasks import async_task
from typing_extensions import override

from runtime import news, tasks
from runtime.models import AgentRequest

logger = logging.getLogger(__name__)

_POLL_S = 1.0
_SOCKET_TIMEOUT_S = 0.5


def enqueue(agent_request: AgentRequest) -> None:
    """Asks for a worker. Inside the caller's transaction with the database's queue, after its commit with Redis.

    A failure is logged and not told: the sweeper of any live worker finds the row.
    """
    if settings.MASH_REDIS_URL:
        transaction.on_commit(lambda: _push(agent_request.pk), robust=True)
    else:
        _push(agent_request.pk)
        transaction.on_commit(lambda: news.send_datagrams("work", b"1"), robust=True)


def _push(request_pk: int) -> None:
    # The function itself: django-q2 looks a dotted name up again for every task, which costs more than the task.
    async_task(tasks.run_request, request_pk, task_name=str(request_pk), broker=_broker())


@cache
def _broker() -> Broker:
    """One broker, and so one connection, per process."""
    return get_broker()


def _nothing_yet(error: Exception) -> None:
    """Waits for a server that is away. Told of the error, django-q2 would sleep for ten seconds and start anew."""
    logger.warning("The queue cannot be read: %s", error, extra={"action": "queue.away"})
    time.sleep(_POLL_S)


class DatabaseBroker(orm.ORM):  # type: ignore[misc]  # django-q2 has no types
    """The queue in the database; an idle cluster sleeps on a datagram socket rather than poll in a hurry."""

    @cached_property
    def _mailbox(self) -> socket:
        return news.open_mailbox("work")

    @override
    def dequeue(self) -> Any:
        try:
            return self._take()
        except Error as error:
            return _nothing_yet(error)

    def _take(self) -> Any:
        self._empty_mailbox()
        rows = list(self.get_connection().filter(key=self.list_key).order_by("id")[:64])
        if rows:
            # A wake-up needs no second delivery, so taking it is one statement and there is nothing to acknowledge.
            self.get_connection().filter(pk__in=[row.pk for row in rows]).delete()
            return [(None, row.payload) for row in rows]
        select.select([self._mailbox], [], [], _POLL_S)
        return None

    def _empty_mailbox(self) -> None:
        try:
            while self._mailbox.recv(64):
                pass
        except BlockingIOError:
            pass


class RedisBroker(redis_broker.Redis):  # type: ignore[misc]
    """The queue in Redis, with time-outs short enough that a dead server never holds up a caller."""

    @staticmethod
    @override
    def get_connection(list_key: str | None = None) -> redis.Redis:
        return redis.Redis.from_url(
            settings.MASH_REDIS_URL, socket_connect_timeout=_SOCKET_TIMEOUT_S, socket_timeout=_SOCKET_TIMEOUT_S
        )

    @override
    def dequeue(self) -> Any:
        try:
            # Blocks for less than the socket's time-out, else an idle queue would look like a dead server.
            task = self.connection.blpop([self.list_key], timeout=_SOCKET_TIMEOUT_S / 2)
        except redis.RedisError as error:
            return _nothing_yet(error)
        return [(None, task[1])] if task else None
