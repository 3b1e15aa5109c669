"""Parts of a conversation as a stream sends them: new ones at the end, changed ones in place."""

from collections.abc import Mapping

from django.template.loader import render_to_string

from telemetry.live.frames import part
from telemetry.show.conversation import Conversation

Looks = dict[str, tuple[object, ...]]


def changed_parts(
    conversation: Conversation, shown: Looks, context: Mapping[str, object], target: str
) -> tuple[list[str], Looks]:
    """What differs from what is shown, and what is shown then. `target` is the list that the parts stand in."""
    changed = []
    for key, said in conversation.parts.items():
        if shown.get(key) == said.look:
            continue
        html = render_to_string("web/conversation/_part.html", {**context, "part": said})
        if key in shown:
            changed.append(part(html, target=f"{target} > .{key}", swap="outerMorph"))
        else:
            changed.append(part(html, target=target, swap="beforeend"))
    return changed, conversation.looks()
