"""Calls to addresses that a tenant names, with real sockets: nothing private is reached, and no answer of a resolver is trusted twice."""

import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpcore2
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

from agents.llm import create_provider
from agents.llm.errors import AddressNotAllowed
from agents.llm.types import LLMMessage, LLMRequest, coerce_content_blocks
from workspaces.outbound import AddressRefused, UserinfoRefused, guarded_client, is_public, refusal_behind


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.hosts.append(self.headers["Host"])
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", "http://elsewhere.test/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    @override
    def log_message(self, *_: object) -> None:
        """Keeps the tests quiet."""


class Server(ThreadingHTTPServer):
    """Says which hosts it was asked for, and under which names TLS was begun."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), Handler)
        self.hosts: list[str] = []
        self.tls_names: list[str | None] = []

    @property
    def port(self) -> int:
        return self.server_address[1]


class Names:
    """A resolver that gives its answers in turn, the last one for good."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


@contextmanager
def serving(address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server(address) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.0.8", "::1", "::", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1",
        "fec0::1", "::7f00:1",
    ],
)  # fmt: skip
def test_private_addresses_in_every_dress_are_recognised(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "inside.test"])
def test_a_private_address_is_refused_before_any_connection(host: str) -> None:
    resolve = Names(["127.0.0.1"]) if host == "inside.test" else None
    with (
        serving() as server,
        guarded_client(resolve=resolve) as client,
        pytest.raises(httpx2.ConnectError) as caught,
    ):
        client.get(f"http://{host}:{server.port}/")
    refusal = refusal_behind(caught.value)
    assert isinstance(refusal, AddressRefused)
    assert "MASH_ALLOWED_PRIVATE_HOSTS" in str(refusal)
    assert server.hosts == []


def test_an_allowed_host_is_reached_and_keeps_its_name() -> None:
    with serving() as server, guarded_client(allowed_hosts=["Model.Test"], resolve=Names(["127.0.0.1"])) as client:
        assert client.get(f"http://model.test:{server.port}/").text == "ok"
    assert server.hosts == [f"model.test:{server.port}"]


def test_an_allowed_host_does_not_open_its_neighbours() -> None:
    with (
        serving() as server,
        guarded_client(allowed_hosts=["model.test"], resolve=Names(["127.0.0.1"])) as client,
        pytest.raises(httpx2.ConnectError),
    ):
        client.get(f"http://other.test:{server.port}/")


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name server answers with a public address to the check and with the loopback afterwards."""
    connected: list[str] = []

    def connect(self: httpcore2.SyncBackend, host: str, *_: object) -> httpcore2.NetworkStream:
        connected.append(host)
        raise httpcore2.ConnectError("not in a test")

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    with guarded_client(resolve=names) as client:
        with pytest.raises(httpx2.ConnectError):
            client.get("http://rebinding.test/")
        assert (connected, names.asked) == (["8.8.8.8"], ["rebinding.test"])
        with pytest.raises(httpx2.ConnectError) as caught:
            client.get("http://rebinding.test/")
    assert refusal_behind(caught.value)
    assert connected == ["8.8.8.8"]


def test_an_allowed_host_may_be_limited_to_a_port() -> None:
    with serving() as server, serving() as neighbour:
        allowed = [f"model.test:{server.port}", f"[::1]:{server.port}"]
        with guarded_client(allowed_hosts=allowed, resolve=Names(["127.0.0.1"])) as client:
            assert client.get(f"http://model.test:{server.port}/").text == "ok"
            with pytest.raises(httpx2.ConnectError):
                client.get(f"http://model.test:{neighbour.port}/")
    assert neighbour.hosts == []


def test_a_user_name_in_a_url_is_refused() -> None:
    with serving() as server, guarded_client(allowed_hosts=["127.0.0.1"]) as client:
        with pytest.raises(UserinfoRefused) as caught:
            client.get(f"http://user:sesame@127.0.0.1:{server.port}/")
        assert "sesame" not in str(caught.value)
    assert server.hosts == []


def test_private_answers_among_public_ones_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    def connect(self: httpcore2.SyncBackend, host: str, *_: object) -> httpcore2.NetworkStream:
        connected.append(host)
        raise httpcore2.ConnectError("not in a test")

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)
    names = Names(["127.0.0.1", "8.8.8.8", "::1", "8.8.4.4"])
    with guarded_client(resolve=names) as client, pytest.raises(httpx2.ConnectError):
        client.get("http://mixed.test/")
    assert connected == ["8.8.8.8", "8.8.4.4"]


def test_a_changed_answer_does_not_move_the_next_connection_of_a_pool() -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    with serving() as server, guarded_client(allowed_hosts=["model.test"], resolve=names) as client:
        for _ in range(5):
            client.get(f"http://model.test:{server.port}/")
        assert names.asked == ["model.test"], "an open connection needs no resolver"
    assert len(server.hosts) == 5


def test_the_second_address_is_tried_when_the_first_is_dead() -> None:
    with serving("127.0.0.2") as server:
        names = Names(["127.0.0.1", "127.0.0.2"])
        with guarded_client(allowed_hosts=["model.test"], resolve=names) as client:
            assert client.get(f"http://model.test:{server.port}/").text == "ok"


def test_redirects_are_not_followed() -> None:
    names = Names(["127.0.0.1"])
    with serving() as server, guarded_client(allowed_hosts=["model.test"], resolve=names) as client:
        assert client.get(f"http://model.test:{server.port}/away").status_code == 302
    assert names.asked == ["model.test"]


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server, serving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with guarded_client(allowed_hosts=["model.test"], resolve=Names(["127.0.0.1"])) as client:
            client.get(f"http://model.test:{server.port}/")
    assert (len(server.hosts), proxy.hosts) == (1, [])


def test_tls_is_begun_under_the_name_and_not_under_the_address(tmp_path: Path) -> None:
    tls, trusting = certificates(tmp_path, "model.test")
    with serving(tls=tls) as server:
        tls.sni_callback = lambda _, name, __: server.tls_names.append(name)
        names = Names(["127.0.0.1"])
        with guarded_client(allowed_hosts=["model.test"], resolve=names, ssl_context=trusting) as client:
            assert client.get(f"https://model.test:{server.port}/").text == "ok"
            with pytest.raises(httpx2.ConnectError):
                client.get(f"https://127.0.0.1:{server.port}/")
    assert server.tls_names == ["model.test"]


def test_a_name_without_an_address_is_a_failure_to_connect() -> None:
    with guarded_client(resolve=Names([])) as client, pytest.raises(httpx2.ConnectError, match="has no address"):
        client.get("http://nowhere.test/")


@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai_chat"])
def test_a_refused_address_is_told_as_the_operators_matter(kind: str) -> None:
    model = "claude-haiku-4-5-20251001" if kind == "anthropic" else "gpt-5-mini"
    with guarded_client() as client:
        provider = create_provider(
            kind, model=model, api_key="sk-test-12345678", base_url="http://127.0.0.1:9/v1", http_client=client
        )
        with pytest.raises(AddressNotAllowed, match="MASH_ALLOWED_PRIVATE_HOSTS") as caught:
            provider.send(
                LLMRequest(
                    model=model, messages=[LLMMessage(role="user", content=coerce_content_blocks("hi"))], max_tokens=10
                )
            )
    assert not caught.value.retryable


def certificates(directory: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for `name`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = directory / "certificate.pem"
    file.write_bytes(pem + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())
