"""OpenAI's models through the Responses API of its SDK."""

from openai.types.responses import Response

from agents.llm import clients, failures, openai_client, openai_models, openai_responses_wire
from agents.llm.clients import Credential
from agents.llm.errors import InvalidAnswer
from agents.llm.types import LLMCapabilities, LLMRequest, LLMResponse


class OpenAIResponsesProvider:
    provider = "openai"

    def __init__(self, *, model: str, credential: Credential) -> None:
        self.model = model
        self._credential = credential

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities(reasoning_controls=True)

    def send(self, request: LLMRequest) -> LLMResponse:
        body = openai_responses_wire.request_body(request, request.model or self.model)
        with openai_client.typed_errors(self._credential.api_key):
            response = openai_client.client_for(self._credential).responses.create(
                **body,
                extra_body=openai_models.other_options(request) or None,
                timeout=clients.timeout(request.timeout_s),
            )
        if not isinstance(response, Response):
            raise InvalidAnswer("The provider's answer is not JSON.")
        with failures.reading_answer():
            usage = openai_responses_wire.read_usage(response)
            if failure := openai_responses_wire.failure(response, usage):
                raise failure
            return openai_responses_wire.read_answer(response, usage)
