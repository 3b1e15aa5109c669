"""`view=compare&with=<id>`: this request beside another one of the workspace."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from runtime.kinds import EventKind
from runtime.models import AgentRequest
from telemetry.show.compare import Difference, Pair, align, setting_differences, text_difference
from telemetry.show.log import find_request
from telemetry.web.trace.page import TracePage, read_page

_MOST_PAIRS = 400
_MOST_OFFERED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    other: TracePage
    pairs: list[Pair]
    pairs_left: int
    differences: list[Difference]
    """Of message, settings and answer."""
    seconds: float
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal


def compare(page: TracePage, wanted: str) -> Comparison | None:
    """None while no other request is chosen. The other one is the earlier one, which this one is compared to."""
    try:
        request_id = uuid.UUID(wanted.strip())
    except ValueError:
        return None
    mine = page.agent_request
    other = read_page(find_request(mine.workspace, request_id))
    pairs = align(other.trace.spans.values(), page.trace.spans.values())
    return Comparison(
        other=other,
        pairs=pairs[:_MOST_PAIRS],
        pairs_left=max(0, len(pairs) - _MOST_PAIRS),
        differences=_differences(other.agent_request, mine),
        seconds=page.total_s - other.total_s,
        input_tokens=page.usage.input_tokens - other.usage.input_tokens,
        output_tokens=page.usage.output_tokens - other.usage.output_tokens,
        cost_usd=page.usage.cost_usd - other.usage.cost_usd,
    )


def offered(agent_request: AgentRequest) -> list[AgentRequest]:
    """Requests that one may want to compare it to: what it repeats and what repeats it, the session's, the agent's latest."""
    of_agent = agent_request.workspace.agent_requests.filter(agent=agent_request.agent_id).exclude(pk=agent_request.pk)
    repeats = Q(rerun_of=agent_request) | Q(pk=agent_request.rerun_of_id)
    alike = (
        of_agent.filter(repeats),
        of_agent.filter(session_id=agent_request.session_id),
        of_agent,
    )
    found = {row.pk: row for rows in alike for row in rows.order_by("-pk")[:_MOST_OFFERED]}
    return list(found.values())[:_MOST_OFFERED]


def _differences(before: AgentRequest, after: AgentRequest) -> list[Difference]:
    answers = _answers(before, after)
    texts = [
        Difference("message", text_difference(before.message, after.message)),
        Difference("answer", text_difference(answers.get(before.pk, ""), answers.get(after.pk, ""))),
    ]
    settings = setting_differences(before.agent_version.definition, after.agent_version.definition)
    return [texts[0], *settings, texts[1]] if texts[0].lines else [*settings, texts[1]]


def _answers(*both: AgentRequest) -> dict[int, str]:
    """By key; of a request that was resumed after its end, the last one."""
    ends = both[0].workspace.events.filter(
        agent_request__in=both, sequence__gte=0, event_type=EventKind.REQUEST_COMPLETED
    )
    told = ends.order_by("sequence").values_list("agent_request_id", "payload__response__text")
    return {key: text or "" for key, text in told}
