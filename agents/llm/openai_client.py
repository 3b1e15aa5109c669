"""The OpenAI SDK as both of its adapters use it: one client per credential, one way to fail."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import openai

from agents.llm import clients, failures
from agents.llm.clients import ClientCache, Credential
from agents.llm.errors import InvalidAnswer, LLMError, ProviderTimeout
from workspaces.bounded_network import make_bounded


def client_for(credential: Credential) -> openai.OpenAI:
    return _clients.get(credential)


@contextmanager
def typed_errors(api_key: str) -> Iterator[None]:
    with failures.transport_errors():
        try:
            yield
        except openai.OpenAIError as error:
            raise error_from_sdk(error, api_key) from error


def error_from_sdk(error: openai.OpenAIError, api_key: str) -> LLMError:
    if isinstance(error, openai.APITimeoutError):
        return ProviderTimeout(failures.TOO_SLOW)
    if isinstance(error, openai.APIConnectionError):
        return failures.no_connection(error)
    if isinstance(error, openai.APIStatusError):
        return failures.from_status(
            error.status_code,
            _vendor_message(error),
            headers=error.response.headers,
            vendor_code=error.code or "",
            api_key=api_key,
        )
    if type(error) is openai.APIError:
        # In the middle of a stream; the class of every other failure is a narrower one.
        return failures.from_event(error.code or error.type or "", error.message, api_key=api_key)
    return InvalidAnswer(failures.without_key(str(error), api_key))


def _vendor_message(error: openai.APIStatusError) -> str:
    """The SDK's own text wraps the whole body; compatible servers put their words in several places."""
    if isinstance(error.body, Mapping):
        return str(error.body.get("message") or error.body.get("detail") or "")
    is_json = "json" in error.response.headers.get("content-type", "")
    # A body that is no JSON is some gateway's page, which may name its insides.
    return error.body if is_json and isinstance(error.body, str) else ""


def _build_client(credential: Credential) -> openai.OpenAI:
    http_client = credential.http_client or make_bounded(
        openai.DefaultHttpxClient(limits=clients.POOL_LIMITS, timeout=clients.timeout(), follow_redirects=False)
    )
    client = openai.OpenAI(
        api_key=credential.api_key,
        base_url=credential.base_url,
        timeout=clients.timeout(),
        max_retries=0,
        http_client=http_client,
    )
    if not credential.from_environment:
        # The SDK took these from the operator's environment; they are not for a workspace's credential.
        client.organization = client.project = client.admin_api_key = None
    if credential.http_client is None:
        clients.close_with(client, http_client)
    return client


_clients = ClientCache(_build_client)
