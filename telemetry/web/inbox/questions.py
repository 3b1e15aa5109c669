"""Questions to people, as pages show them at one moment."""

import math
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from agents.tools.ask_user import ASK_USER
from runtime.errors import InteractionNotFound
from runtime.models import Interaction
from telemetry.query.interactions import with_request
from workspaces.models import Workspace
from workspaces.scoping import only

Kind, State = Interaction.Kind, Interaction.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call that the question is about."""

    name: str
    arguments: dict[str, Any]
    command: str
    """What a shell would run; empty for other tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    row: Interaction
    left_s: int
    """Seconds until silence counts as an answer, by the server's clock."""
    fault: str = ""
    """Why the answer that was just given does not count."""
    typed: str = ""

    @property
    def dom_id(self) -> str:
        return f"interaction-{self.row.pk}"

    @property
    def is_open(self) -> bool:
        return self.row.state == State.OPEN and self.left_s > 0

    @property
    def is_approval(self) -> bool:
        return self.row.kind == Kind.APPROVAL

    @property
    def calls(self) -> list[Call]:
        """What would run, or runs while its tool asks; a model's own question is about no call but itself."""
        told = [(str(call.get("name") or ""), call.get("arguments") or {}) for call in self.row.tool_calls]
        return [
            Call(name=name, arguments=arguments, command=str(arguments.get("command") or "") if name == "bash" else "")
            for name, arguments in told
            if name != ASK_USER
        ]

    @property
    def verdict(self) -> str:
        """What came of it, in a few words."""
        by = f" by {self.row.answered_by}" if self.row.answered_by else ""
        match self.row.state:
            case State.ANSWERED if self.is_approval:
                return f"{'Approved' if self.row.answer == 'approve' else 'Denied'}{by}"
            case State.ANSWERED:
                return f"Answered{by}"
            case State.EXPIRED:
                meaning = "which counts as a refusal" if self.is_approval else "and the agent was told so"
                return f"Nobody answered in time, {meaning}"
            case State.CANCELLED:
                return "The request ended before anybody answered"
        return "Time is up" if not self.is_open else "Waits for an answer"

    @property
    def icon(self) -> str:
        if self.row.state == State.ANSWERED:
            return "stopped" if self.is_approval and self.row.answer != "approve" else "check"
        return {State.EXPIRED: "stalled", State.CANCELLED: "stopped"}.get(State(self.row.state), "waiting")

    @property
    def answer(self) -> Any:
        """What was said, where that is more than a decision."""
        if self.is_approval or self.row.state != State.ANSWERED:
            return ""
        said = self.row.answer
        return ", ".join(map(str, said)) if isinstance(said, list) and self.row.kind == Kind.CHOICE else said


def question_of(row: Interaction, *, fault: str = "", typed: str = "") -> Question:
    left = (row.deadline - timezone.now()).total_seconds()
    return Question(row=row, left_s=max(0, math.ceil(left)), fault=fault, typed=typed)


def find_interaction(workspace: Workspace, interaction_id: str) -> Interaction:
    found: Interaction | None = only(with_request(workspace.interactions.filter(interaction_id=interaction_id)))
    if found is None:
        raise InteractionNotFound("There is no such question.")
    return found
