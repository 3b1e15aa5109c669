"""Any server that speaks OpenAI's Chat Completions: local ones, gateways and other vendors."""

from typing import Any
from urllib.parse import urlsplit

from openai.types.chat import ChatCompletion

from agents.llm import clients, failures, openai_chat_wire, openai_client, openai_models, streams
from agents.llm.clients import Credential
from agents.llm.errors import InvalidAnswer, RequestRejected
from agents.llm.openai_chat_stream import StreamedCompletion
from agents.llm.types import JSONObject, LLMCapabilities, LLMRequest, LLMResponse, OnText

OPENAI_HOST = "api.openai.com"
OPTIONAL_FIELDS = frozenset({"stream_options", "response_format"})
_refused_fields: dict[str, set[str]] = {}


class OpenAIChatProvider:
    provider = "openai_chat"

    def __init__(self, *, model: str, credential: Credential) -> None:
        self.model = model
        self._credential = credential
        self._is_openai = urlsplit(credential.base_url).hostname == OPENAI_HOST

    def capabilities(self) -> LLMCapabilities:
        return LLMCapabilities(streaming=True)

    def send(self, request: LLMRequest) -> LLMResponse:
        body = openai_chat_wire.request_body(request, request.model or self.model, is_openai=self._is_openai)
        body["extra_body"] = openai_models.other_options(request) or None
        body["timeout"] = clients.timeout(request.timeout_s)
        with clients.bounded_call(request):
            completion = self._ask(body, request.on_text)
        if not isinstance(completion, ChatCompletion):
            raise InvalidAnswer("The provider's answer is not JSON.")
        with failures.reading_answer():
            return openai_chat_wire.read_answer(completion)

    def _ask(self, body: JSONObject, on_text: OnText | None) -> object:
        """Sends fields that not every server knows, and asks once more without those that this one names as unknown."""
        body = body if on_text is None else {**body, "stream": True, "stream_options": {"include_usage": True}}
        refused = _refused_fields.setdefault(self._credential.base_url, set())
        sent = {name: value for name, value in body.items() if name not in refused}
        try:
            return self._call(sent, on_text)
        except RequestRejected as error:
            named = {name for name in OPTIONAL_FIELDS & set(sent) if name in error.message}
            if not named or self._is_openai:
                raise
            refused |= named
            return self._call({name: value for name, value in sent.items() if name not in named}, on_text)

    def _call(self, body: JSONObject, on_text: OnText | None) -> object:
        completions: Any = openai_client.client_for(self._credential).chat.completions
        with openai_client.typed_errors(self._credential.api_key):
            answer = completions.create(**body)
            return answer if on_text is None else _streamed(answer, on_text)


def _streamed(chunks: Any, on_text: OnText) -> ChatCompletion:
    answer = StreamedCompletion()
    with streams.reading(chunks) as rest:
        if not streams.is_stream(chunks.response):
            return ChatCompletion.construct(**streams.whole_answer(chunks.response))
        for chunk in chunks:
            if text := answer.add(chunk):
                on_text(text)
            rest.is_complete = answer.is_complete
        if not answer.is_complete:
            raise streams.cut_off()
        return ChatCompletion.construct(**answer.as_dict())
