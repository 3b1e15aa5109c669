"""One SDK client, and so one connection pool, per process and credential."""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import httpx2

from agents.llm.errors import CallStopped
from agents.llm.types import LLMRequest
from agents.stop_signal import StopSignal
from workspaces import outbound
from workspaces.bounded_network import bounded

CLIENT_LIMIT = 64
CONNECT_TIMEOUT_S = 10.0
POOL_TIMEOUT_S = 30.0
READ_TIMEOUT_S = 600.0
STOPPED = "The call was stopped."
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


def timeout(longest_s: float | None = None) -> httpx2.Timeout:
    """For each single wait; the call as a whole is bounded by `bounded_call`."""
    longest = READ_TIMEOUT_S if longest_s is None else longest_s
    return httpx2.Timeout(longest, connect=min(CONNECT_TIMEOUT_S, longest), pool=min(POOL_TIMEOUT_S, longest))


@contextmanager
def bounded_call(request: LLMRequest) -> Iterator[None]:
    """Ends the call when `timeout_s` is over, and with `CallStopped` as soon as the caller's signal is set."""
    stop = request.stop or StopSignal()
    with bounded(request.timeout_s) as bounds, stop.calling(bounds.abort):
        try:
            if stop.is_set():
                raise CallStopped(STOPPED)
            yield
        except Exception as error:
            if not stop.is_set() or isinstance(error, CallStopped):
                raise
            raise CallStopped(STOPPED) from error


def close_with(owner: object, http_client: httpx2.Client) -> None:
    """Closes the connections when their SDK client is no longer referenced."""
    weakref.finalize(owner, http_client.close).atexit = False
