"""Questions that a tool has while it runs, such as an MCP server's elicitation. They hold the tool's thread."""

import copy
import time
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import close_old_connections, transaction
from django.utils import timezone

from agents.llm.types import LLMToolCall
from agents.stop_signal import StopSignal
from agents.tools.context import PersonsAnswer
from runtime import events
from runtime.interactions.answers import PATIENCE
from runtime.interactions.ask import create_event, expire
from runtime.models import AgentRequest, Interaction

State, Kind = Interaction.State, Interaction.Kind
WITHIN_CALL = 0
"""`turn` of such questions: they are about a call that runs, not about whether it may."""
_LOOK_EVERY_S = 0.5


class CallQuestions:
    """The questions of one call. Not durable: should the worker die, they die with the call."""

    def __init__(self, agent_request: AgentRequest, loop_index: int, call: LLMToolCall, stop: StopSignal) -> None:
        # A copy: the request's own object belongs to the thread that waits for this tool.
        self._agent_request = copy.copy(agent_request)
        self._loop_index, self._call, self._stop = loop_index, call, stop
        self._count = 0

    def ask(
        self, prompt: str, *, options: Sequence[str] = (), schema: Mapping[str, Any] | None = None
    ) -> PersonsAnswer:
        """Blocks until somebody answers, the question's time is over, or the request is stopped."""
        interaction = self._open(prompt, list(options), schema)
        try:
            while interaction.state == State.OPEN and timezone.now() < interaction.deadline:
                close_old_connections()
                if self._stop.wait(_LOOK_EVERY_S):
                    # The end of the request closes its questions.
                    return PersonsAnswer(state=State.CANCELLED, response=None)
                interaction.refresh_from_db()
            if interaction.state == State.OPEN:
                expire(self._agent_request, interaction)
            return PersonsAnswer(state=interaction.state, response=interaction.answer)
        finally:
            close_old_connections()

    def _open(self, prompt: str, options: list[str], schema: Mapping[str, Any] | None) -> Interaction:
        self._count += 1
        kind = Kind.CHOICE if options else Kind.INFO
        now = timezone.now()
        with transaction.atomic():
            interaction = self._agent_request.interactions.create(
                workspace=self._agent_request.workspace,
                run=self._agent_request.run,
                loop_index=self._loop_index,
                call_id=f"{self._call.id}#{self._count}.{time.time_ns()}"[-200:],
                turn=WITHIN_CALL,
                kind=kind,
                prompt=events.storable(prompt),
                options=events.storable(options),
                schema=events.storable(dict(schema)) if schema else None,
                tool_calls=[{"id": self._call.id, "name": self._call.name, "arguments": self._call.arguments}],
                deadline=now + PATIENCE[kind],
                created_at=now,
            )
            events.append(self._agent_request, [create_event(interaction)], self._agent_request.attempt)
        return interaction
