"""The rooms that have a copilot, and what each copilot says about itself."""

from dataclasses import dataclass

from agents.spec import SubAgentMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    name: str
    """Also the name of its folder."""
    purpose: str
    begin_with: str
    """The files that explain it fastest."""
    topics: tuple[str, ...]

    @property
    def agent_id(self) -> str:
        return f"{self.name}-copilot"

    @property
    def metadata(self) -> SubAgentMetadata:
        return SubAgentMetadata(
            display_name=f"{self.name.title()} copilot",
            description=f"Reads the folder {self.name}/ of the code base, and nothing else: {self.purpose}.",
            capabilities=self.topics,
            usage_guidance=f"Questions about {', '.join(self.topics)}. Ask one whole question; it has not seen the conversation.",
        )

    @property
    def prompt(self) -> str:
        return (
            f"You know one room of the Mash code base, {self.name}/: {self.purpose}. Your file tools begin in that folder, so "
            f"paths are relative to it, and nothing outside of it can be read. Begin with {self.begin_with}. "
            "Search before you read, read before you answer, and read only the lines that you need. "
            "Answer in a few sentences, and name file and line for each claim. "
            "When the answer lies in another room, say which one, and stop: the pilot will ask there."
        )


ROOMS = (
    Room(
        name="runtime",
        purpose="accepting, claiming, executing and recovering requests, the event log and its streams, the API and the REPL",
        begin_with="accept.py, claim.py, execute.py, events.py and finish.py, which a request passes in this order",
        topics=("durable requests", "the event log", "streams", "delegation", "approvals", "workers and recovery"),
    ),
    Room(
        name="agents",
        purpose="what an agent is: specs, definitions and versions, the pure loop, providers, tools, skills, memory",
        begin_with="spec.py and host.py for agents in code, loop.py for what happens next, tools/base.py and llm/types.py",
        topics=("agent specs", "the agent loop", "model providers", "tools", "skills", "memory"),
    ),
    Room(
        name="telemetry",
        purpose="what the event log shows people: events and their stream, traces, usage",
        begin_with="the modules of its API, and look at which parts of the runtime they import",
        topics=("traces", "usage and cost reports", "the stream over many requests"),
    ),
    Room(
        name="workflows",
        purpose="work in several steps above single requests",
        begin_with="a listing of the folder, as this room may still be small",
        topics=("workflows",),
    ),
)
