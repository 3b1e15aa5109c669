"""What differs between models behind OpenAI's APIs, and the prompt cache that they share."""

import hashlib

from agents.llm import output_schema
from agents.llm.types import JSONObject, LLMContentBlock, LLMRequest

REASONING_MODELS = ("gpt-5", "o1", "o3", "o4")
WITHOUT_LONG_CACHE = ("gpt-3.5", "gpt-4-", "gpt-4o", "chatgpt", "o1", "o3", "o4")
CACHE_RETENTION = "24h"
CACHE_KEY_LIMIT = 64
CACHE_OPTIONS = ("prompt_cache_key", "prompt_cache_retention")


def is_reasoning_model(model: str) -> bool:
    """Such models take no temperature and count their thinking into the output limit."""
    return model.startswith(REASONING_MODELS)


def instructions(system: str | list[JSONObject] | None) -> str:
    if isinstance(system, list):
        return "\n".join(block.get("text", "") for block in system)
    return system or ""


def cache_fields(request: LLMRequest, model: str) -> JSONObject:
    if not request.use_prompt_caching:
        return {}
    options = request.provider_options
    fields: JSONObject = {"prompt_cache_key": options.get("prompt_cache_key") or _cache_key(request, model)}
    retention = options.get("prompt_cache_retention", None if model.startswith(WITHOUT_LONG_CACHE) else CACHE_RETENTION)
    if retention:
        fields["prompt_cache_retention"] = retention
    return fields


def _cache_key(request: LLMRequest, model: str) -> str:
    """Equal in every process; the digest covers the whole, as the vendor limits the length."""
    tool_names = ",".join(tool.name for tool in request.tools)
    parts = (request.app_id, model, instructions(request.system), tool_names)
    digest = hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:16]
    readable = f"{request.app_id}:{model}"[: CACHE_KEY_LIMIT - len(digest) - 1]
    return f"{readable}:{digest}"


def output_format(request: LLMRequest, model: str) -> JSONObject | None:
    """The schema that the vendor is to hold the model to; None where it cannot."""
    schema = request.output_schema
    if schema is None or not output_schema.is_strict(schema) or not output_schema.openai_takes_it(model):
        return None
    return {"name": output_schema.NAME, "schema": schema, "strict": True}


def data_url(block: LLMContentBlock) -> str:
    return f"data:{block.data['media_type']};base64,{block.data['data']}"


def other_options(request: LLMRequest) -> JSONObject:
    """The agent's options that go into the body as they are."""
    return {name: value for name, value in request.provider_options.items() if name not in (*CACHE_OPTIONS, "betas")}
