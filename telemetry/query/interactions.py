"""Which questions to people: from the parameters of an address to rows, the same for the inbox and its stream."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from runtime.models import Interaction
from workspaces.models import Workspace

ALL = "all"
TABS = (Interaction.State.OPEN.value, Interaction.State.ANSWERED.value, Interaction.State.EXPIRED.value, ALL)
# Of the request, what its questions do not show and may be long
_LONG = ("message", "context", "metadata", "limits", "attachments", "structured_output", "invoke_options", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionFilter:
    state: str
    faults: tuple[str, ...] = ()
    """What was asked for and cannot be found out: said, never dropped in silence."""

    def apply(self, workspace: Workspace) -> "QuerySet[Interaction]":
        rows = workspace.interactions.all()
        return rows if self.state == ALL else rows.filter(state=self.state)

    def admits(self, row: Interaction) -> bool:
        return self.state in {ALL, row.state}


def read_interaction_filter(parameters: Mapping[str, str]) -> InteractionFilter:
    state = parameters.get("state") or TABS[0]
    if state in TABS:
        return InteractionFilter(state=state)
    return InteractionFilter(state=TABS[0], faults=(f"state: {state} is unknown; choose {', '.join(TABS)}.",))


def with_request(rows: "QuerySet[Interaction]") -> "QuerySet[Interaction]":
    """With who asks, and without what that request was about."""
    related = rows.select_related("agent_request__agent", "agent_request__workspace")
    return related.defer(*(f"agent_request__{name}" for name in _LONG))
