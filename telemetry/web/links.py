"""Addresses of lists that show the very rows which a figure has counted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.urls import reverse

from agents.models import Agent
from telemetry.query.ranges import TimeRange
from telemetry.web.visit import Visit
from workspaces.roles import Scope


def requests_link(visit: Visit, **parameters: str) -> str:
    """The list of requests with these filters; empty ones are left out."""
    told = {name: value for name, value in parameters.items() if value}
    return f"{visit.link('requests')}?{urlencode(told)}" if told else visit.link("requests")


def may_define_agents(visit: Visit) -> bool:
    user = visit.principal.user
    may_enter_admin = user is not None and user.is_active and user.is_staff
    return may_enter_admin and visit.may(Scope.AGENTS_WRITE)


def new_agent_link(visit: Visit) -> str:
    """The admin's form for another agent here, the first one as the primary one; empty for who may not."""
    if not may_define_agents(visit):
        return ""
    about = {"workspace": str(visit.workspace.pk)}
    if not visit.workspace.agents.filter(role=Agent.Role.PRIMARY).exists():
        about["role"] = Agent.Role.PRIMARY
    return f"{reverse('admin:agents_agent_add')}?{urlencode(about)}"


def span_parameters(span: TimeRange) -> Mapping[str, str]:
    """A preset stays relative when the link is shared, exact ends stay exact."""
    if span.preset:
        return {"range": span.preset}
    return {"from": stamp(span.since), "to": stamp(span.until)}


def stamp(at: datetime | None) -> str:
    """A time in UTC, as addresses have it; empty for an open end."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() if at else ""
