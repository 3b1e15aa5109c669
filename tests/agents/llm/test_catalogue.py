"""Which key goes where, and which model is meant."""

import os
import sys
import threading
from typing import Any

import pytest

from agents.llm import anthropic, create_provider, errors, openai_client
from agents.llm.catalogue import load_adapters
from agents.llm.clients import ClientCache, Credential
from tests.agents.llm.conftest import API_KEY, ask

VARIABLES = ["API_KEY", "MODEL", "BASE_URL"]


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for prefix in ("ANTHROPIC", "OPENAI"):
        for name in VARIABLES:
            monkeypatch.delenv(f"{prefix}_{name}", raising=False)


@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai_chat"])
def test_without_a_key_there_is_no_provider(kind):
    with pytest.raises(errors.BadCredential):
        create_provider(kind)


@pytest.mark.parametrize(
    ("kind", "prefix", "default"),
    [("anthropic", "ANTHROPIC", "claude-haiku-4-5-20251001"), ("openai", "OPENAI", "gpt-5-mini")],
)
def test_the_model_comes_from_the_environment_at_call_time(monkeypatch, kind, prefix, default):
    assert create_provider(kind, api_key="k").model == default
    monkeypatch.setenv(f"{prefix}_MODEL", "claude-opus-5" if kind == "anthropic" else "gpt-4.1")
    assert create_provider(kind, api_key="k").model in ("claude-opus-5", "gpt-4.1")


@pytest.mark.parametrize(("kind", "model"), [("anthropic", "gpt-5"), ("openai", "claude-opus-5"), ("openai", " ")])
def test_a_model_of_the_wrong_vendor_is_a_value_error(kind, model):
    with pytest.raises(errors.UnsuitableModel) as caught:
        create_provider(kind, model=model, api_key="k")
    assert isinstance(caught.value, ValueError)
    assert caught.value.code == "request_rejected"


def test_the_environments_key_does_not_go_to_an_address_of_a_workspace(monkeypatch, server):
    monkeypatch.setenv("ANTHROPIC_API_KEY", API_KEY)
    monkeypatch.setenv("OPENAI_API_KEY", API_KEY)
    with pytest.raises(errors.BadCredential):
        create_provider("anthropic", base_url=server.url)
    create_provider("openai_chat", model="local", base_url=f"{server.url}/v1").send(ask("say=ok"))
    keyless = server.requests()[-1]["headers"]["authorization"]
    create_provider("openai_chat", model="local", api_key="none", base_url=f"{server.url}/v1").send(ask("say=ok"))
    assert server.requests()[-1]["headers"]["authorization"] == keyless


def test_the_environments_key_goes_to_the_environments_address(monkeypatch, server):
    monkeypatch.setenv("ANTHROPIC_API_KEY", API_KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    assert create_provider("anthropic").send(ask("say=ok")).text == "ok"


def test_a_workspaces_key_does_not_follow_the_environments_address(monkeypatch, server):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    provider = create_provider("anthropic", api_key=API_KEY)
    assert isinstance(provider, anthropic.AnthropicProvider)
    assert provider._credential.base_url == "https://api.anthropic.com"


def test_the_operators_organisation_is_not_sent_with_a_workspaces_key(monkeypatch, server):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-operator")
    create_provider("openai", api_key="sk-workspace-1", base_url=f"{server.url}/v1").send(ask("say=ok"))
    assert "openai-organization" not in server.requests()[-1]["headers"]


@pytest.mark.parametrize("key", ["with\nnewline", "ключ"])
def test_a_key_that_no_header_can_carry_is_refused(key):
    with pytest.raises(errors.BadCredential):
        create_provider("openai", api_key=key)


def test_a_credential_does_not_show_its_key():
    assert API_KEY not in repr(Credential(api_key=API_KEY, base_url="http://x"))


def test_one_client_serves_all_threads_of_a_credential():
    credential = Credential(api_key="k", base_url="http://127.0.0.1:9")
    seen: list[object] = []
    building = []

    def build(credential: Credential) -> object:
        building.append(credential)
        return object()

    cache = ClientCache(build)
    threads = [threading.Thread(target=lambda: seen.append(cache.get(credential))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(building) == 1
    assert len(set(map(id, seen))) == 1


def test_the_least_used_client_gives_way():
    credentials = [Credential(api_key=str(n), base_url="http://x") for n in range(3)]
    cache = ClientCache(lambda credential: [credential], limit=2)
    first = cache.get(credentials[0])
    cache.get(credentials[1])
    assert cache.get(credentials[0]) is first
    cache.get(credentials[2])
    assert cache.get(credentials[0]) is first
    assert len(cache._clients) == 2


def test_the_pools_suit_many_threads():
    credential = Credential(api_key="k", base_url="http://127.0.0.1:9")
    sdk_clients: list[Any] = [anthropic._clients.get(credential), openai_client.client_for(credential)]
    for client in sdk_clients:
        assert client.max_retries == 0
        assert client._client._transport._pool._max_connections >= 256


def test_a_forked_worker_builds_its_own_client():
    credential = Credential(api_key="k", base_url="http://127.0.0.1:9")
    cache = ClientCache(lambda _: object())
    parents = cache.get(credential)
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.get(credential) is not parents else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_adapters_are_loaded_ahead_and_what_is_no_vendor_is_left_out():
    load_adapters(["anthropic", "demo", "no such kind", "anthropic"])

    assert "anthropic" in sys.modules
