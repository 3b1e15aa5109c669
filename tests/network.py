"""Keeps the tests on this machine: a socket may reach the loopback and Unix sockets, nothing else."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NetworkForbidden(RuntimeError):
    """A test tried to leave the machine."""


@contextmanager
def only_loopback() -> Iterator[None]:
    """Every connection from Python to another machine raises, and so does every look-up of a foreign name."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def checked_connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address)
        connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address)
        return connect_ex(self, address)

    def checked_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host is not None:
            _check(socket.AF_INET, (host.decode() if isinstance(host, bytes) else host,))
        return getaddrinfo(host, *args, **kwargs)

    names = {"connect": checked_connect, "connect_ex": checked_connect_ex}
    for name, replacement in names.items():
        setattr(socket.socket, name, replacement)
    socket.getaddrinfo = checked_getaddrinfo
    try:
        yield
    finally:
        for name in names:
            delattr(socket.socket, name)
        socket.getaddrinfo = getaddrinfo


def _check(family: int, address: Any) -> None:
    if family in {socket.AF_INET, socket.AF_INET6} and not _is_local(str(address[0])):
        raise NetworkForbidden(f"A test tried to reach {address[0]}.")


def _is_local(host: str) -> bool:
    if host in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
