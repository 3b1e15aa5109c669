"""Claude through Anthropic's own SDK."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
from anthropic.types import Message
from anthropic.types.beta import BetaMessage

from agents.llm import anthropic_wire, clients, failures, streams
from agents.llm.anthropic_stream import StreamedMessage
from agents.llm.clients import ClientCache, Credential
from agents.llm.errors import InvalidAnswer, LLMError, ProviderTimeout
from agents.llm.types import JSONObject, LLMCapabilities, LLMRequest, LLMResponse, OnText
from workspaces.bounded_network import make_bounded


class AnthropicProvider:
    provider = "anthropic"

    def __init__(self, *, model: str, credential: Credential) -> None:
        self.model = model
        self._credential = credential

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities(beta_flags=True, server_tools=True, streaming=True)

    def send(self, request: LLMRequest) -> LLMResponse:
        model = request.model or self.model
        body = anthropic_wire.request_body(request, model)
        body["extra_body"] = anthropic_wire.extra_body(request, model) or None
        body["timeout"] = clients.timeout(request.timeout_s)
        with clients.bounded_call(request), _typed_errors(self._credential.api_key):
            message = self._ask(body, request.provider_options.get("betas"), request.on_text)
        if not isinstance(message, (Message, BetaMessage)):
            raise InvalidAnswer("The provider's answer is not JSON.")
        with failures.reading_answer():
            return anthropic_wire.read_answer(message)

    def _ask(self, body: JSONObject, betas: object, on_text: OnText | None) -> object:
        client: Any = _clients.get(self._credential)
        message_type: type[Message] | type[BetaMessage] = Message
        messages = client.messages
        if isinstance(betas, list):
            messages, message_type, body = client.beta.messages, BetaMessage, {**body, "betas": betas}
        if on_text is None:
            return messages.create(**body)
        return message_type.construct(**_streamed(messages.create(**body, stream=True), on_text))


def _streamed(events: Any, on_text: OnText) -> JSONObject:
    answer = StreamedMessage()
    with streams.reading(events) as rest:
        if not streams.is_stream(events.response):
            return streams.whole_answer(events.response)
        for event in events:
            if text := answer.add(event):
                on_text(text)
            rest.is_complete = answer.is_complete
        if not answer.is_complete:
            raise streams.cut_off()
        return answer.as_dict()


def error_from_sdk(error: anthropic.AnthropicError, api_key: str) -> LLMError:
    if isinstance(error, anthropic.APITimeoutError):
        return ProviderTimeout(failures.TOO_SLOW)
    if isinstance(error, anthropic.APIConnectionError):
        return failures.no_connection(error)
    if isinstance(error, anthropic.APIStatusError) and error.status_code == 200:
        # In the middle of a stream.
        return failures.from_event(error.type or "", error.api_message or "", api_key=api_key)
    if isinstance(error, anthropic.APIStatusError):
        return failures.from_status(
            error.status_code,
            error.api_message or "",
            headers=error.response.headers,
            vendor_code=error.type or "",
            api_key=api_key,
        )
    return InvalidAnswer(failures.without_key(str(error), api_key))


@contextmanager
def _typed_errors(api_key: str) -> Iterator[None]:
    with failures.transport_errors():
        try:
            yield
        except anthropic.AnthropicError as error:
            raise error_from_sdk(error, api_key) from error


def _build_client(credential: Credential) -> anthropic.Anthropic:
    http_client = credential.http_client or make_bounded(
        anthropic.DefaultHttpxClient(limits=clients.POOL_LIMITS, timeout=clients.timeout(), follow_redirects=False)
    )
    client = anthropic.Anthropic(
        api_key=credential.api_key,
        base_url=credential.base_url,
        timeout=clients.timeout(),
        max_retries=0,
        http_client=http_client,
    )
    if credential.http_client is None:
        clients.close_with(client, http_client)
    return client


_clients = ClientCache(_build_client)
