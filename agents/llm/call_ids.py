"""Gives every tool call of an answer an id that can be stored and told from the others.

Results find their calls by id. Vendors' own ids are short and unique; servers that imitate them send empty and repeated
ones.
"""

from dataclasses import replace

from agents.llm.types import LLMContentBlock, LLMResponse, LLMToolCall

MAX_ID_CHARACTERS = 100


def with_usable_ids(response: LLMResponse) -> LLMResponse:
    """The same answer, with new ids for calls whose own will not do, in the calls and in the blocks that repeat them."""
    calls = _distinct(response.tool_calls)
    if calls == response.tool_calls:
        return response
    renamed = iter(calls)
    blocks = [
        LLMContentBlock.tool_call(next(renamed)) if block.type == "tool_call" else block
        for block in response.content_blocks
    ]
    return replace(response, tool_calls=calls, content_blocks=blocks)


def _distinct(calls: list[LLMToolCall]) -> list[LLMToolCall]:
    taken: set[str] = set()
    distinct = []
    for place, call in enumerate(calls):
        usable = _is_usable(call.id) and call.id not in taken
        kept = call if usable else replace(call, id=_unused(place, taken | {other.id for other in calls}))
        taken.add(kept.id)
        distinct.append(kept)
    return distinct


def _is_usable(call_id: str) -> bool:
    return 0 < len(call_id) <= MAX_ID_CHARACTERS and call_id.isascii() and call_id.isprintable()


def _unused(place: int, taken: set[str]) -> str:
    return next(name for n in range(len(taken) + 1) if (name := f"call_{place}_{n}") not in taken)
