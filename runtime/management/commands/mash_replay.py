"""`manage.py mash_replay`: would today's code take a recorded request the same way?"""

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser
from typing_extensions import override

from agents.build import AgentNotRunnable, build_agent
from runtime.begin import first_state
from runtime.kinds import RequestKind
from runtime.models import AgentRequest
from runtime.replay import COMPARED, replay
from workspaces.management.command import MashCommand


class Command(MashCommand):
    help = """Drive the agent loop again, offline, from a request's recorded model and tool results.

Example:
  manage.py mash_replay 5f0c1a52-7a2b-4a5e-9b43-0d5e8a1c2f33

Nothing is called and nothing is changed. It shows each step of the log beside the loop's, up to the first that differs: after a
change of code, of the agent's tools or of what needs approval.
Exit codes: 0 the loop goes the same way, 1 it goes another way, 2 the request cannot be replayed."""

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("request", type=uuid.UUID, help="The request's id.")
        parser.add_argument("--quiet", action="store_true", help="Show only what differs.")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        agent_request = AgentRequest.rows.filter(request_id=options["request"]).with_agent().first()
        if agent_request is None:
            raise CommandError(f"There is no request {options['request']}.", returncode=2)
        if agent_request.kind != RequestKind.TURN:
            raise CommandError(f"A {agent_request.kind} has no steps to replay.", returncode=2)
        if agent_request.erased_at:
            raise CommandError("The request was erased; there is nothing left to replay.", returncode=2)
        try:
            runnable = build_agent(
                agent_request.workspace, agent_request.agent, agent_request.agent_version, depth=agent_request.depth
            )
        except AgentNotRunnable as error:
            raise CommandError(f"The agent cannot be made any more: {error}", returncode=2) from error
        log = agent_request.events.filter(event_type__in=COMPARED).order_by("sequence")
        count = 0
        for place in replay(first_state(agent_request, runnable, ()), log, crash_policy=runnable.crash_policy):
            count += 1
            if not place.is_same:
                self.stdout.write(f"{place.sequence:>6}  the log says    {place.logged}")
                self.stdout.write(f"        the loop says   {place.loop}")
                raise CommandError(f"The loop goes another way at event {place.sequence}.", returncode=1)
            if not options["quiet"]:
                self.stdout.write(f"{place.sequence:>6}  {place.logged}")
        self.stdout.write(f"The loop goes the same way through {count} events.")
