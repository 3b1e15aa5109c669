"""What models get to see: a message with what came with it, and again the newest of what came earlier (contract 5.7)."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings
from typing_extensions import Buffer

from agents.llm.types import LLMContentBlock, LLMMessage
from agents.memory.history import as_messages
from agents.memory.models import Turn
from runtime.attachments.values import Reference
from runtime.models import AgentRequest
from workspaces.models import Workspace

# Of earlier turns; what does not fit is only named.
MAX_SHOWN_AGAIN = 5
MAX_BYTES_SHOWN_AGAIN = 10 * 1024 * 1024


def conversation(agent_request: AgentRequest, turns: list[Turn]) -> tuple[LLMMessage, ...]:
    """History and the new message. The bytes come from the database each time and are kept nowhere else."""
    attached = {str(turn.turn_id): _references(turn.metadata.get("attachments", ())) for turn in turns}
    room = min(MAX_BYTES_SHOWN_AGAIN, settings.MASH_MAX_MESSAGE_ATTACHMENT_BYTES - _size(agent_request))
    shown = set(_newest_within(attached, room))
    history = [_with_attachments(agent_request.workspace, message, attached, shown) for message in as_messages(turns)]
    content = [*blocks_for(agent_request), LLMContentBlock.text(agent_request.message)]
    return (*history, LLMMessage(role="user", content=content))


def blocks_for(agent_request: AgentRequest) -> list[LLMContentBlock]:
    """What came with the message, each file led by its name; none for most messages, at no cost."""
    references = _references(agent_request.attachments)
    return _blocks(agent_request.workspace, references) if references else []


def _with_attachments(
    workspace: Workspace, message: LLMMessage, attached: dict[str, list[Reference]], shown: set[tuple[str, int]]
) -> LLMMessage:
    turn_id = str(message.metadata.get("turn_id", ""))
    references = attached.get(turn_id, [])
    if message.role != "user" or not references:
        return message
    again = [reference for place, reference in enumerate(references) if (turn_id, place) in shown]
    named = [
        _note(f"{_about(reference)} came with this message and is not shown again")
        for place, reference in enumerate(references)
        if (turn_id, place) not in shown
    ]
    return replace(message, content=[*_blocks(workspace, again), *named, *message.content])


def _newest_within(attached: dict[str, list[Reference]], room: int) -> Iterator[tuple[str, int]]:
    """Turn and place of the newest attachments, as many as there is room for."""
    count = 0
    for turn_id, references in reversed(attached.items()):
        for place, reference in enumerate(references):
            if count == MAX_SHOWN_AGAIN or reference.size > room:
                return
            count, room = count + 1, room - reference.size
            yield turn_id, place


def _blocks(workspace: Workspace, references: Sequence[Reference]) -> list[LLMContentBlock]:
    ids = [reference.attachment_id for reference in references]
    rows = workspace.attachments.filter(attachment_id__in=ids)
    data = dict(rows.values_list("attachment_id", "content__data")) if ids else {}
    return [block for entry in references for block in _shown(entry, data.get(entry.attachment_id))]


def _shown(reference: Reference, data: Buffer | None) -> list[LLMContentBlock]:
    if data is None:
        return [_note(f"{_about(reference)} came with this message and has been erased")]
    block = {"media_type": reference.media_type, "name": reference.name, "data": base64.b64encode(data).decode()}
    if reference.media_type == "application/pdf":
        return [LLMContentBlock(type="document", data=block)]
    # Models are told a document's name by its block, and an image's by nothing but text.
    del block["name"]
    return [_note(reference.name), LLMContentBlock(type="image", data=block)]


def _references(entries: Any) -> list[Reference]:
    return [Reference.from_json(entry) for entry in entries]


def _size(agent_request: AgentRequest) -> int:
    return sum(reference.size for reference in _references(agent_request.attachments))


def _about(reference: Reference) -> str:
    return f"{reference.name} ({reference.media_type}, {reference.size} bytes)"


def _note(text: str) -> LLMContentBlock:
    return LLMContentBlock.text(f"[{text}]")
