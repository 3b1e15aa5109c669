"""OpenAI's models through the Responses API of its SDK."""

from typing import Any

from openai.types.responses import Response

from agents.llm import clients, failures, openai_client, openai_models, openai_responses_wire, streams
from agents.llm.clients import Credential
from agents.llm.errors import InvalidAnswer
from agents.llm.types import JSONObject, LLMCapabilities, LLMRequest, LLMResponse, OnText

LAST_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class OpenAIResponsesProvider:
    provider = "openai"

    def __init__(self, *, model: str, credential: Credential) -> None:
        self.model = model
        self._credential = credential

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities(reasoning_controls=True, streaming=True)

    def send(self, request: LLMRequest) -> LLMResponse:
        body = openai_responses_wire.request_body(request, request.model or self.model)
        body["extra_body"] = openai_models.other_options(request) or None
        body["timeout"] = clients.timeout(request.timeout_s)
        with clients.bounded_call(request), openai_client.typed_errors(self._credential.api_key):
            response = self._ask(body, request.on_text)
        if not isinstance(response, Response):
            raise InvalidAnswer("The provider's answer is not JSON.")
        with failures.reading_answer():
            usage = openai_responses_wire.read_usage(response)
            if failure := openai_responses_wire.failure(response, usage):
                raise failure
            return openai_responses_wire.read_answer(response, usage)

    def _ask(self, body: JSONObject, on_text: OnText | None) -> object:
        responses: Any = openai_client.client_for(self._credential).responses
        if on_text is None:
            return responses.create(**body)
        return _streamed(responses.create(**body, stream=True), on_text, self._credential.api_key)


def _streamed(events: Any, on_text: OnText, api_key: str) -> object:
    """The vendor repeats the whole answer with its last event."""
    with streams.reading(events) as rest:
        if not streams.is_stream(events.response):
            return Response.construct(**streams.whole_answer(events.response))
        for event in events:
            if event.type == "response.output_text.delta" and event.delta:
                on_text(event.delta)
            elif event.type in LAST_EVENTS:
                rest.is_complete = True
                return event.response
            elif event.type == "error":
                raise failures.from_event(event.code or "", event.message, api_key=api_key)
        raise streams.cut_off()
