"""Every adapter against the scripted model server, through the vendor's real SDK."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agents.llm import LLMContentBlock, LLMMessage, LLMProvider, LLMRequest, LLMToolDefinition, create_provider
from benchmarks.model_server import ModelServer

MODELS = {"anthropic": "claude-haiku-4-5-20251001", "openai": "gpt-5-mini", "openai_chat": "local-model"}
API_KEY = "sk-test-0123456789abcdef"
SEARCH = LLMToolDefinition(
    name="search",
    description="Searches.",
    parameters_json_schema={"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
)

ProviderOf = Callable[[str], LLMProvider]


@pytest.fixture(scope="session")
def model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def server(model_server: ModelServer) -> ModelServer:
    model_server.recording.clear()
    return model_server


@pytest.fixture
def provider_of(server: ModelServer) -> ProviderOf:
    def create(kind: str) -> LLMProvider:
        base_url = server.url if kind == "anthropic" else f"{server.url}/v1"
        return create_provider(kind, model=MODELS[kind], api_key=API_KEY, base_url=base_url)

    return create


@pytest.fixture(params=["anthropic", "openai", "openai_chat"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider(kind: str, provider_of: ProviderOf) -> LLMProvider:
    return provider_of(kind)


def user(text: str) -> LLMMessage:
    return LLMMessage(role="user", content=[LLMContentBlock.text(text)])


def ask(text: str, **fields: Any) -> LLMRequest:
    """A request with one user message; `fields` replace its defaults."""
    return LLMRequest(**{"model": "", "messages": [user(text)], "tools": [SEARCH], "max_tokens": 256, **fields})
