"""The guard on calls to addresses that a tenant names: they reach the public internet, and only what the operator allows beside it.

A name is resolved once per connection, and the connection is opened to exactly the address that was checked, so a name
server that changes its answer between the check and the connection gains nothing. TLS and the `Host` header keep the
URL's name. An open connection of the pool needs no resolver.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

import httpcore2
import httpx2
from typing_extensions import override

from workspaces.bounded_network import SocketOption, make_bounded

Resolver = Callable[[str, int], Sequence[str]]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# A worker process runs up to 128 threads; twice that leaves room for connections that are being closed.
POOL_LIMITS = httpx2.Limits(max_connections=256, max_keepalive_connections=256, keepalive_expiry=30.0)
# Public as Python sees them, but local in meaning: protocol assignments, relays that lead anywhere, old site-local.
_LOCAL_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "3fff::/20",
        "fec0::/10",
    )
]
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
# A dead peer is noticed within minutes although a model may stay silent for as long.
KEEP_ALIVE: list[SocketOption] = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))
        if hasattr(socket, name)
    ),
]


class AddressRefused(httpcore2.ConnectError):
    """The name leads to an address that is not public, and the operator has not allowed it."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is not a public address. If it is meant, the operator must list it in MASH_ALLOWED_PRIVATE_HOSTS."
        )


class UserinfoRefused(httpx2.UnsupportedProtocol):
    """The URL holds a user name or password, which would end up in logs; credentials belong into headers."""

    def __init__(self, host: str) -> None:
        super().__init__(f"The URL of {host} holds a user name or password; give credentials in a header instead.")


def guarded_client(
    *,
    allowed_hosts: Iterable[str] = (),
    resolve: Resolver | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> httpx2.Client:
    """A client that refuses private addresses, except of the hosts named; it follows no redirect and asks no proxy."""
    backend = GuardedBackend(Guard(allowed_hosts, resolve or resolve_by_system))
    transport = GuardedTransport(backend, ssl_context or httpx2.create_ssl_context())
    return make_bounded(httpx2.Client(transport=transport, trust_env=False, follow_redirects=False))


def is_public(text: str) -> bool:
    """Whether everybody on the internet means the same machine by this address."""
    address: IPAddress = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address in _TRANSLATED:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_unspecified)
        and not any(address in network for network in _LOCAL_NETWORKS)
    )


def refusal_behind(error: BaseException) -> AddressRefused | None:
    """The refusal that an error of httpx2 or of an SDK stands for, if it does."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """The host's addresses in the order in which the system prefers them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


class Guard:
    """Says which addresses a name may be reached at. An allowed host may be limited to a port: `host:port`."""

    def __init__(self, allowed_hosts: Iterable[str], resolve: Resolver) -> None:
        self._allowed = frozenset(_allowance(entry) for entry in allowed_hosts)
        self._resolve = resolve

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to try; raises when none of them may be reached."""
        try:
            addresses = list(self._resolve(host, port))
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"The name {host} has no address.") from error
        if not addresses:
            raise httpcore2.ConnectError(f"The name {host} has no address.")
        if self._allowed & {(_normal(host), None), (_normal(host), port)}:
            return addresses
        public = [address for address in addresses if is_public(address)]
        if not public:
            raise AddressRefused(host)
        return public


class GuardedBackend(httpcore2.NetworkBackend):
    """Resolves, checks, and connects to what was checked."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._connector = httpcore2.SyncBackend()

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._guard.addresses(host, port)
        deadline = None if timeout is None else time.monotonic() + timeout
        for address in addresses[:-1]:
            try:
                return self._connector.connect_tcp(address, port, time_left(deadline), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connector.connect_tcp(addresses[-1], port, time_left(deadline), local_address, socket_options)

    @override
    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore2.NetworkStream:
        raise AddressRefused(path)


class GuardedTransport(httpx2.HTTPTransport):
    """httpx2's own transport on a pool with our network backend, for which it has no argument."""

    def __init__(self, backend: GuardedBackend, ssl_context: ssl.SSLContext) -> None:
        super().__init__(verify=ssl_context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=POOL_LIMITS.max_connections,
            max_keepalive_connections=POOL_LIMITS.max_keepalive_connections,
            keepalive_expiry=POOL_LIMITS.keepalive_expiry,
            network_backend=backend,
            socket_options=KEEP_ALIVE,
        )

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        refuse_userinfo(request)
        return super().handle_request(request)


def refuse_userinfo(request: httpx2.Request) -> None:
    if request.url.userinfo:
        raise UserinfoRefused(request.url.host)


def _allowance(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry such as `models.internal`, `10.0.0.5:8000`, `::1` or `[::1]:8000`; no port means all."""
    try:
        return str(ipaddress.ip_address(_normal(entry))), None
    except ValueError:
        parts = urlsplit(f"//{entry.strip()}")
        return _normal(parts.hostname or ""), parts.port


def _normal(host: str) -> str:
    return host.strip().lower().strip("[]").rstrip(".")


def time_left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.05, deadline - time.monotonic())
