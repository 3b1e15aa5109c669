"""The YAML file that agents travel in, read with care: every fault is told with its line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator
from typing_extensions import override

from agents.definition import AgentDefinition
from workspaces.errors import MashError

AgentId = Annotated[str, StringConstraints(pattern=r"^[^/\s]+$", max_length=200)]


@dataclass(frozen=True, slots=True)
class Problem:
    line: int
    """From 1; 0 when it is about no line."""
    text: str

    @override
    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class InvalidAgentFile(MashError):
    """The file cannot be imported; `problems` says all that is wrong with it."""

    code = "INVALID_AGENT_FILE"
    status = 400

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        told = [str(problem) for problem in self.problems]
        super().__init__("\n".join(told), details={"problems": told})


class AgentEntry(BaseModel):
    """One agent: either a whole definition, or what the workspace overrides of one that code defines."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent_id: AgentId
    role: Literal["primary", "subagent"] = "subagent"
    enabled: bool = True
    definition: AgentDefinition | None = None
    overrides: dict[str, Any] | None = None
    line: int = Field(0, exclude=True)

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if (self.definition is None) == (self.overrides is None):
            raise ValueError("give either `definition` or `overrides`")
        return self

    @field_validator("overrides")
    @classmethod
    def _fits_a_definition(cls, overrides: dict[str, Any] | None) -> dict[str, Any] | None:
        """Overrides are fields of a definition, each of which must do by itself."""
        try:
            AgentDefinition.model_validate(overrides or {})
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            raise ValueError("; ".join(faults)) from None
        return overrides

    @property
    def is_primary(self) -> bool:
        return self.role == "primary"


class AgentFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    agents: tuple[AgentEntry, ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        ids = [agent.agent_id for agent in self.agents]
        if repeated := sorted({agent_id for agent_id in ids if ids.count(agent_id) > 1}):
            raise ValueError(f"agent ids must be unique; repeated: {', '.join(repeated)}")
        if len([agent for agent in self.agents if agent.is_primary]) > 1:
            raise ValueError("a workspace has one primary agent")
        return self


def read_agent_file(text: str) -> AgentFile:
    """Parses and checks the whole file; raises `InvalidAgentFile` with every fault found."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise InvalidAgentFile([Problem(mark.line + 1 if mark else 0, _yaml_words(error))]) from error
    if repeated := list(_repeated_keys(root)):
        raise InvalidAgentFile(repeated)
    try:
        return AgentFile.model_validate(_with_lines(content, root))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidAgentFile([_problem(fault["loc"], fault["msg"], root) for fault in faults]) from error


def _yaml_words(error: yaml.YAMLError) -> str:
    return f"this is not YAML: {getattr(error, 'problem', None) or error}."


def _repeated_keys(node: yaml.Node | None) -> Iterator[Problem]:
    """YAML lets the last of two equal keys win in silence."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield Problem(key.start_mark.line + 1, f"{key.value} is given twice.")
            seen.add(str(key.value))
            yield from _repeated_keys(value)


def _with_lines(content: Any, root: yaml.Node | None) -> Any:
    """Each agent's entry with the line that it begins on, for what is found wrong with it later."""
    if not isinstance(content, dict) or not isinstance(content.get("agents"), list):
        return content
    entries = [
        {**entry, "line": _line(("agents", number), root)} if isinstance(entry, dict) else entry
        for number, entry in enumerate(content["agents"])
    ]
    return {**content, "agents": entries}


def _problem(location: tuple[int | str, ...], message: str, root: yaml.Node | None) -> Problem:
    where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in location)
    text = message.removeprefix("Value error, ")
    return Problem(_line(location, root), f"{where}: {text}" if where else text)


def _line(location: tuple[int | str, ...], root: yaml.Node | None) -> int:
    """The line of the deepest part of the location that the file holds."""
    line = 1
    node = root
    for part in location:
        found = _child(node, part)
        if found is None:
            break
        line, node = found
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item.start_mark.line + 1, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    return None
