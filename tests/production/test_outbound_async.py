"""The asynchronous guarded client keeps what the other one promises, and bounds what it reads."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import httpcore2
import httpx2
import pytest

from tests.production.test_outbound import Names, serving
from workspaces.outbound import UserinfoRefused, refusal_behind
from workspaces.outbound_async import ResponseRefused, guarded_async_client

LIMIT = 1000


def run(use: Callable[[httpx2.AsyncClient], Awaitable[object]], **options: object) -> None:
    async def main() -> None:
        async with guarded_async_client(max_response_bytes=LIMIT, **options) as client:
            await use(client)

    asyncio.run(main())


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "0.0.0.0"])
def test_a_private_address_is_refused_before_any_connection(address: str) -> None:
    async def use(client: httpx2.AsyncClient) -> None:
        with pytest.raises(httpx2.ConnectError) as caught:
            await client.get(f"http://inside.test:{server.port}/")
        assert refusal_behind(caught.value)

    with serving() as server:
        run(use, resolve=Names([address]))
        assert server.hosts == []


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    async def connect(self: httpcore2.AnyIOBackend, host: str, *_: object) -> httpcore2.AsyncNetworkStream:
        connected.append(host)
        raise httpcore2.ConnectError("not in a test")

    async def use(client: httpx2.AsyncClient) -> None:
        with pytest.raises(httpx2.ConnectError):
            await client.get("http://rebinding.test/")

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", connect)
    names = Names(["8.8.8.8", "10.0.0.1", "8.8.4.4"], ["127.0.0.1"])
    run(use, resolve=names)
    assert (connected, names.asked) == (["8.8.8.8", "8.8.4.4"], ["rebinding.test"])


def test_an_allowed_host_is_reached_on_its_port_and_redirects_are_not_followed() -> None:
    async def use(client: httpx2.AsyncClient) -> None:
        assert (await client.get(f"http://model.test:{server.port}/")).text == "ok"
        assert (await client.get(f"http://model.test:{server.port}/away")).status_code == 302
        with pytest.raises(httpx2.ConnectError):
            await client.get(f"http://model.test:{neighbour.port}/")
        with pytest.raises(UserinfoRefused):
            await client.get(f"http://user:sesame@model.test:{server.port}/")

    with serving() as server, serving() as neighbour:
        run(use, allowed_hosts=[f"model.test:{server.port}"], resolve=Names(["127.0.0.1"]))
        assert (server.hosts, neighbour.hosts) == ([f"model.test:{server.port}"] * 2, [])


@pytest.mark.parametrize(
    ("body", "headers", "refusal"),
    [
        (b"x" * (LIMIT + 1), {}, ResponseRefused),
        (gzip.compress(b"x" * 10_000_000)[:LIMIT], {"Content-Encoding": "gzip"}, httpx2.RemoteProtocolError),
    ],
)
def test_no_more_is_read_than_wanted(body: bytes, headers: dict[str, str], refusal: type[Exception]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [f"{name}: {value}" for name, value in {"Content-Length": str(len(body)), **headers}.items()]
        writer.write("\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + body)
        writer.close()

    async def use(client: httpx2.AsyncClient) -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(refusal):
            await client.get(f"http://127.0.0.1:{port}/")
        server.close()

    run(use, allowed_hosts=["127.0.0.1"])
