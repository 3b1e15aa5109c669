"""A server's question to the agent's own model (contract 5.14): text only, bounded, through the agent's provider."""

import mcp_types

from agents.llm.errors import CallStopped, LLMError
from agents.llm.types import LLMContentBlock, LLMMessage, LLMProvider, LLMRequest, LLMTokenUsage
from agents.mcp.errors import McpError
from agents.stop_signal import StopSignal

_MOST_TOKENS = 4096
_MOST_CHARACTERS = 200_000
_FAILED_MODEL = "simulated-mash-llm"
_STOP_REASONS = {
    "stop": "stopSequence",
    "stop_sequence": "stopSequence",
    "length": "maxTokens",
    "max_tokens": "maxTokens",
    "content_filter": "contentFilter",
}


def sample(
    llm: LLMProvider, params: mcp_types.CreateMessageRequestParams, *, stop: StopSignal, app_id: str
) -> tuple[mcp_types.CreateMessageResult, LLMTokenUsage | None]:
    """The model's answer and what that used; None when it gave none. Only a stopped call and a question that is not text raise."""
    request = LLMRequest(
        model=llm.model,
        messages=_messages(params),
        system=params.system_prompt or None,
        max_tokens=min(max(params.max_tokens, 1), _MOST_TOKENS),
        temperature=1.0 if params.temperature is None else params.temperature,
        use_prompt_caching=False,
        app_id=app_id,
        stop=stop,
    )
    try:
        response = llm.send(request)
    except CallStopped:
        raise
    except LLMError as error:
        return _result(f"(sampling error) {error.code}", _FAILED_MODEL, "endTurn"), None
    reason = _STOP_REASONS.get(response.stop_reason, "endTurn")
    return _result(response.text, llm.model, reason), response.usage


def _messages(params: mcp_types.CreateMessageRequestParams) -> list[LLMMessage]:
    messages = []
    for message in params.messages:
        parts = message.content if isinstance(message.content, list) else [message.content]
        texts = [part.text for part in parts if isinstance(part, mcp_types.TextContent)]
        if len(texts) < len(parts):
            raise McpError("Only text can be given to the model.")
        messages.append(LLMMessage(role=message.role, content=[LLMContentBlock.text(text) for text in texts]))
    size = sum(len(block.data["text"]) for message in messages for block in message.content)
    if not messages or size + len(params.system_prompt or "") > _MOST_CHARACTERS:
        raise McpError(f"The messages must hold some text, and at most {_MOST_CHARACTERS} characters.")
    return messages


def _result(text: str, model: str, reason: str) -> mcp_types.CreateMessageResult:
    return mcp_types.CreateMessageResult(
        role="assistant", content=mcp_types.TextContent(type="text", text=text), model=model, stop_reason=reason
    )
