"""Any server that speaks OpenAI's Chat Completions: local ones, gateways and other vendors."""

from urllib.parse import urlsplit

from openai.types.chat import ChatCompletion

from agents.llm import clients, failures, openai_chat_wire, openai_client, openai_models
from agents.llm.clients import Credential
from agents.llm.errors import InvalidAnswer
from agents.llm.types import LLMCapabilities, LLMRequest, LLMResponse

OPENAI_HOST = "api.openai.com"


class OpenAIChatProvider:
    provider = "openai_chat"

    def __init__(self, *, model: str, credential: Credential) -> None:
        self.model = model
        self._credential = credential
        self._is_openai = urlsplit(credential.base_url).hostname == OPENAI_HOST

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities()

    def send(self, request: LLMRequest) -> LLMResponse:
        body = openai_chat_wire.request_body(request, request.model or self.model, is_openai=self._is_openai)
        with openai_client.typed_errors(self._credential.api_key):
            completion = openai_client.client_for(self._credential).chat.completions.create(
                **body,
                extra_body=openai_models.other_options(request) or None,
                timeout=clients.timeout(request.timeout_s),
            )
        if not isinstance(completion, ChatCompletion):
            raise InvalidAnswer("The provider's answer is not JSON.")
        with failures.reading_answer():
            return openai_chat_wire.read_answer(completion)
