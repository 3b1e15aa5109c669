"""How far one stream has heard what a model is saying: no character twice, none left out."""

import json
import time
from dataclasses import dataclass, replace

from django.utils import timezone

from runtime.models import AgentRequest
from runtime.news import Delta

DELTA_EVENT = "llm.response.delta"
# For a draft that has caught up, while text is missing
LOOK_EVERY_S = 0.25


@dataclass(slots=True)
class Listening:
    """A text belongs to the event by which the model was asked for it: `boundary`, once the stream has sent that one."""

    boundary: int = 0
    """The last event seen that begins or ends a text."""
    head: int = 0
    length: int = 0
    pieces: int = 0
    lacks_text: bool = False
    """Something was said that did not arrive: the draft has it, or will soon."""
    draft_at: float = 0.0
    """When it is worth looking for the draft again."""

    def heard(self, head: int) -> int:
        """How many characters of this text the client has."""
        return self.length if head == self.head else 0

    def has_gap(self, delta: Delta) -> bool:
        return delta.offset > self.heard(delta.head)

    def wants_draft(self) -> bool:
        return self.lacks_text and time.monotonic() >= self.draft_at

    def read_draft(self, draft: Delta | None, agent_request: AgentRequest) -> bytes:
        """What the draft adds, after a look for it whatever the look found."""
        self.lacks_text = False
        self.draft_at = time.monotonic() + LOOK_EVERY_S
        return self.frame(draft, agent_request) if draft else b""

    def new_part(self, delta: Delta) -> Delta | None:
        """What of it the client does not have yet."""
        heard = self.heard(delta.head)
        text = delta.text[heard - delta.offset :]
        if delta.head != self.boundary or not text:
            return None
        self.pieces = self.pieces + 1 if delta.head == self.head else 1
        self.head, self.length = delta.head, heard + len(text)
        return replace(delta, offset=heard, text=text)

    def frame(self, delta: Delta, agent_request: AgentRequest) -> bytes:
        """The new part as a server-sent event without an id; `index` 0 says that a text begins anew."""
        part = self.new_part(delta)
        if part is None:
            return b""
        payload = {
            "text": part.text,
            "index": self.pieces - 1,
            "loop_index": part.loop_index,
            "attempt": part.attempt,
            "offset": part.offset,
        }
        data = {
            "event_type": DELTA_EVENT,
            "trace_id": str(part.trace_id) if part.trace_id else None,
            "session_id": agent_request.session_id,
            "loop_index": part.loop_index,
            "step_key": None,
            "created_at": timezone.now().timestamp(),
            "payload": payload,
            "request_id": str(agent_request.request_id),
            "request_seq": None,
            "event_id": None,
        }
        return f"event: agent.trace\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
