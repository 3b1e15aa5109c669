"""One SDK client, and so one connection pool, per process and credential."""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import httpx2

from workspaces import outbound

CLIENT_LIMIT = 64
CONNECT_TIMEOUT_S = 10.0
POOL_TIMEOUT_S = 30.0
READ_TIMEOUT_S = 600.0
POOL_LIMITS = outbound.POOL_LIMITS

ClientT = TypeVar("ClientT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key and the only address that it may be sent to."""

    api_key: str = field(repr=False)
    base_url: str
    from_environment: bool = False
    http_client: httpx2.Client | None = field(default=None, repr=False)


class ClientCache(Generic[ClientT]):
    """The least recently used client gives way; a call that still runs on it keeps it alive."""

    def __init__(self, build: Callable[[Credential], ClientT], *, limit: int = CLIENT_LIMIT) -> None:
        self._build = build
        self._limit = limit
        self._lock = threading.Lock()
        self._clients: OrderedDict[Credential, ClientT] = OrderedDict()
        self._inherited: list[OrderedDict[Credential, ClientT]] = []
        os.register_at_fork(after_in_child=self._start_anew)

    def get(self, credential: Credential) -> ClientT:
        with self._lock:
            client = self._clients.get(credential)
            if client is None:
                client = self._clients[credential] = self._build(credential)
            self._clients.move_to_end(credential)
            if len(self._clients) > self._limit:
                self._clients.popitem(last=False)
            return client

    def _start_anew(self) -> None:
        """Sockets of the parent are not ours, and closing its clients could wait for a lock that nobody holds here."""
        self._lock = threading.Lock()
        self._inherited.append(self._clients)
        self._clients = OrderedDict()


def timeout(read_s: float | None = None) -> httpx2.Timeout:
    longest = READ_TIMEOUT_S if read_s is None else read_s
    return httpx2.Timeout(
        longest, connect=min(CONNECT_TIMEOUT_S, longest), pool=min(POOL_TIMEOUT_S, max(longest, CONNECT_TIMEOUT_S))
    )


def close_with(owner: object, http_client: httpx2.Client) -> None:
    """Closes the connections when their SDK client is no longer referenced."""
    weakref.finalize(owner, http_client.close).atexit = False
