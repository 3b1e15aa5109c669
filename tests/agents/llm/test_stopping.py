"""A call ends when its signal is set or its time is over, wherever it waits, and leaves no connection behind."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from agents.llm import LLMProvider, create_provider, errors
from agents.stop_signal import StopSignal
from benchmarks.model_server import ModelServer
from tests.agents.llm.conftest import API_KEY, MODELS, ask
from workspaces.outbound import guarded_client

SOON_S = 4
"""On a busy machine too; without its end each of the waits would last twice as long at least."""
WAITS = [
    "fail=hang",
    "latency=20",
    'fail=stall say="a b c d e f g h"',
    'trickle=0.2 say="a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k l m n o p"',
]


@contextmanager
def ending_within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def stopped_after(seconds: float) -> StopSignal:
    stop = StopSignal()
    threading.Timer(seconds, stop.set, ["cancelled"]).start()
    return stop


def provider_with(http_client: httpx2.Client, kind: str, url: str) -> LLMProvider:
    base_url = url if kind == "anthropic" else f"{url}/v1"
    return create_provider(kind, model=MODELS[kind], api_key=API_KEY, base_url=base_url, http_client=http_client)


@pytest.fixture(params=["own client", "guarded client"])
def any_provider(
    request: pytest.FixtureRequest, kind: str, provider: LLMProvider, server: ModelServer
) -> Iterator[LLMProvider]:
    """Both clients that the platform calls models with."""
    if request.param == "own client":
        yield provider
        return
    with guarded_client(allowed_hosts=["127.0.0.1"]) as client:
        yield provider_with(client, kind, server.url)


@pytest.mark.parametrize("words", WAITS)
@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_set_signal_ends_the_call_wherever_it_waits(any_provider, server, words, is_streamed):
    on_text: Any = (lambda _: None) if is_streamed else None
    # A connection that is used again must end as well as a new one.
    assert any_provider.send(ask("say=ok")).text == "ok"
    before = len(server.recording.connections)
    with ending_within(SOON_S), pytest.raises(errors.CallStopped) as caught:
        any_provider.send(ask(words, on_text=on_text, stop=stopped_after(0.2)))
    assert not caught.value.retryable
    assert any_provider.send(ask("say=ok")).text == "ok"
    assert len(server.recording.connections) <= before


def test_a_signal_that_is_set_already_sends_nothing(provider, server):
    stop = StopSignal()
    stop.set("cancelled")
    with pytest.raises(errors.CallStopped):
        provider.send(ask("say=ok", stop=stop))
    assert server.requests() == []


@pytest.mark.parametrize("words", WAITS)
@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_call_is_over_with_its_time_though_bytes_trickle(provider, words, is_streamed):
    on_text: Any = (lambda _: None) if is_streamed else None
    with ending_within(SOON_S), pytest.raises(errors.ProviderTimeout):
        provider.send(ask(words, on_text=on_text, timeout_s=0.4))
    assert provider.send(ask("say=ok")).text == "ok"


def slow_resolver(seconds: float) -> Callable[[str, int], list[str]]:
    def resolve(host: str, port: int) -> list[str]:
        time.sleep(seconds)
        return ["127.0.0.1"]

    return resolve


def test_a_name_that_is_not_resolved_holds_nobody_up(kind):
    with guarded_client(allowed_hosts=["slow.example"], resolve=slow_resolver(8)) as client:
        provider = provider_with(client, kind, "http://slow.example")
        with ending_within(SOON_S), pytest.raises(errors.CallStopped):
            provider.send(ask("hello", stop=stopped_after(0.2)))
        with ending_within(SOON_S), pytest.raises(errors.ProviderTimeout):
            provider.send(ask("hello", timeout_s=0.3))


def test_a_tls_handshake_that_does_not_come_holds_nobody_up(kind):
    with socket.create_server(("127.0.0.1", 0)) as silent, guarded_client(allowed_hosts=["127.0.0.1"]) as client:
        provider = provider_with(client, kind, f"https://127.0.0.1:{silent.getsockname()[1]}")
        with ending_within(SOON_S), pytest.raises(errors.CallStopped):
            provider.send(ask("hello", stop=stopped_after(0.2)))


def test_a_connection_that_comes_too_late_is_closed():
    accepted: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as late:
        port = late.getsockname()[1]

        def accept() -> None:
            connection, _ = late.accept()
            with connection:
                accepted.append(connection.recv(1))

        accepting = threading.Thread(target=accept)
        accepting.start()
        with guarded_client(allowed_hosts=["slow.example"], resolve=slow_resolver(2)) as client:
            provider = provider_with(client, "openai_chat", f"http://slow.example:{port}")
            with pytest.raises(errors.CallStopped):
                provider.send(ask("hello", stop=stopped_after(0.1)))
        accepting.join(5)
    assert accepted == [b""]
