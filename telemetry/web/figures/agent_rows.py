"""How each agent fares over a span of time."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.query.activity import Activity, Figures
from telemetry.show import charts
from telemetry.web.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRow:
    agent_id: str
    figures: Figures
    href: str
    spark: str
    """Points of its requests over time."""


def agent_rows(visit: Visit, found: Activity) -> Sequence[AgentRow]:
    """Those with requests, the busiest first."""
    by_agent, sparks = found.by("agent"), sparklines(found)
    return [
        AgentRow(agent_id=agent_id, figures=each, href=visit.link("agent", agent_id), spark=sparks[agent_id])
        for agent_id, each in sorted(by_agent.items(), key=lambda item: (-item[1].requests, item[0]))
    ]


def sparklines(found: Activity) -> dict[str, str]:
    """By agent, without the parts of hours or days at both ends, which would look like a fall."""
    requests = {key: each.requests for key, each in found.by("agent", "bucket").items()}
    numbers = [bucket.number for bucket in found.buckets if not bucket.is_partial]
    agents = {agent for agent, _ in requests}
    return {agent: charts.sparkline([requests.get((agent, number), 0) for number in numbers]) for agent in agents}
