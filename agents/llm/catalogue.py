"""From the name of a kind of provider to a provider that is ready to send."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import httpx2

from agents.llm.clients import Credential
from agents.llm.demo import DemoProvider
from agents.llm.errors import BadCredential, RequestRejected, UnsuitableModel
from agents.llm.types import LLMProvider

PROVIDER_KINDS = ("anthropic", "openai", "openai_chat", "demo")
DEFAULT_ANTHROPIC_MODEL = "claude-haiku-4-5-20251001"
DEFAULT_OPENAI_MODEL = "gpt-5-mini"
# Sent where a server asks for no key; the SDK insists on one.
NO_KEY = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """The names under which the environment configures a vendor."""

    variable_prefix: str
    base_url: str
    default_model: str
    needs_key: bool = True

    def model(self) -> str:
        return os.environ.get(f"{self.variable_prefix}_MODEL", "").strip() or self.default_model

    def environment_key(self) -> str:
        return os.environ.get(f"{self.variable_prefix}_API_KEY", "").strip()

    def environment_url(self) -> str:
        return os.environ.get(f"{self.variable_prefix}_BASE_URL", "").strip() or self.base_url


_OPENAI_URL = "https://api.openai.com/v1"
VENDORS = {
    "anthropic": Vendor(
        variable_prefix="ANTHROPIC", base_url="https://api.anthropic.com", default_model=DEFAULT_ANTHROPIC_MODEL
    ),
    "openai": Vendor(variable_prefix="OPENAI", base_url=_OPENAI_URL, default_model=DEFAULT_OPENAI_MODEL),
    "openai_chat": Vendor(
        variable_prefix="OPENAI", base_url=_OPENAI_URL, default_model=DEFAULT_OPENAI_MODEL, needs_key=False
    ),
}


def create_provider(
    kind: str,
    *,
    model: str | None = None,
    api_key: str | None = None,
    base_url: str | None = None,
    http_client: httpx2.Client | None = None,
) -> LLMProvider:
    """Builds a provider; what is not given comes from the environment of this moment."""
    if kind not in PROVIDER_KINDS:
        raise RequestRejected(f"There is no provider kind {kind!r}; known are {', '.join(PROVIDER_KINDS)}.")
    if kind == "demo":
        return DemoProvider(model=model)
    vendor = VENDORS[kind]
    name = vendor.model() if model is None else model.strip()
    check_model(kind, name)
    credential = _credential(vendor, api_key=api_key, base_url=base_url, http_client=http_client)
    return _adapter(kind)(model=name, credential=credential)


def load_adapters(kinds: Iterable[str]) -> None:
    """Imports the SDKs behind these kinds now, so that no request waits for it; before a fork, all children share them."""
    for kind in set(kinds) & set(VENDORS):
        _adapter(kind)


def check_model(kind: str, model: str) -> None:
    """Raises `UnsuitableModel` for a name that this kind of provider cannot serve."""
    if not model:
        raise UnsuitableModel("The model's name must not be blank.")
    if kind == "anthropic" and "claude" not in model.lower():
        raise UnsuitableModel(f"{model!r} is not a Claude model.")
    if kind == "openai" and model.lower().startswith("claude"):
        raise UnsuitableModel(f"{model!r} is not an OpenAI model.")


def _credential(
    vendor: Vendor, *, api_key: str | None, base_url: str | None, http_client: httpx2.Client | None
) -> Credential:
    """A given key goes to the given URL or the vendor's; the environment's only where the environment or vendor is."""
    from_environment = not (api_key or "").strip()
    key = vendor.environment_key() if from_environment else (api_key or "").strip()
    url = (base_url or "").strip() or (vendor.environment_url() if from_environment else vendor.base_url)
    if from_environment and not _same_url(url, vendor.environment_url(), vendor.base_url):
        key = ""
    if not key and (vendor.needs_key or _same_url(url, vendor.base_url)):
        raise BadCredential(f"There is no key for {url}; give one, or set {vendor.variable_prefix}_API_KEY.")
    _check_sendable(key, url)
    return Credential(
        api_key=key or NO_KEY,
        base_url=url,
        from_environment=from_environment and bool(key),
        http_client=http_client,
    )


def _same_url(url: str, *others: str) -> bool:
    return url.rstrip("/") in {other.rstrip("/") for other in others}


def _check_sendable(key: str, url: str) -> None:
    if not (key.isascii() and (not key or key.isprintable())):
        raise BadCredential("The key holds characters that no HTTP header can carry.")
    if not url.startswith(("http://", "https://")):
        raise RequestRejected("The provider's base URL must start with http:// or https://.")


def _adapter(kind: str) -> Callable[..., LLMProvider]:
    """Imported on first use: the two SDKs take over a second to load, and most processes need one or none."""
    if kind == "anthropic":
        from agents.llm.anthropic import AnthropicProvider

        return AnthropicProvider
    if kind == "openai":
        from agents.llm.openai_responses import OpenAIResponsesProvider

        return OpenAIResponsesProvider
    from agents.llm.openai_chat import OpenAIChatProvider

    return cast("Callable[..., LLMProvider]", OpenAIChatProvider)
