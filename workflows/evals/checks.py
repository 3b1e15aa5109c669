"""What can be checked of an answer without a model. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import override

from agents.json_schema import faults_of, schema_fault
from workspaces.api.envelope import InvalidBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What there is to look at."""

    text: str
    expected: str
    tools_called: Sequence[str]
    cost_usd: float
    duration_ms: int


class Check(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field("", max_length=60, description="Empty: its kind.")

    def passes(self, answer: Answer) -> bool | None:
        """None where there is nothing to compare with."""
        raise NotImplementedError


class Exact(Check):
    """The answer is the expected one, but for blanks around it."""

    kind: Literal["exact"]

    @override
    def passes(self, answer: Answer) -> bool | None:
        return answer.text.strip() == answer.expected.strip() if answer.expected.strip() else None


class Contains(Check):
    """The answer holds a text, whatever the case of its letters."""

    kind: Literal["contains"]
    text: str = Field("", max_length=1000, description="Empty: the expected answer.")

    @override
    def passes(self, answer: Answer) -> bool | None:
        wanted = (self.text or answer.expected).strip().lower()
        return wanted in answer.text.lower() if wanted else None


class Schema(Check):
    """The answer is JSON that satisfies a schema."""

    kind: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(alias="schema")

    @override
    def passes(self, answer: Answer) -> bool | None:
        try:
            return not faults_of(self.json_schema, json.loads(answer.text))
        except (ValueError, RecursionError):
            return False


class ToolCalled(Check):
    """The agent has called a tool, or has not."""

    kind: Literal["tool_called"]
    tool: str = Field(min_length=1, max_length=200)
    is_wanted: bool = True

    @override
    def passes(self, answer: Answer) -> bool | None:
        return (self.tool in answer.tools_called) == self.is_wanted


class MostCost(Check):
    """The answer, with everything that led to it, was not dearer than this."""

    kind: Literal["max_cost"]
    usd: float = Field(gt=0)

    @override
    def passes(self, answer: Answer) -> bool | None:
        return answer.cost_usd <= self.usd


class MostTime(Check):
    """The answer took no longer than this."""

    kind: Literal["max_seconds"]
    seconds: float = Field(gt=0)

    @override
    def passes(self, answer: Answer) -> bool | None:
        return answer.duration_ms <= self.seconds * 1000


AnyCheck = Annotated[Exact | Contains | Schema | ToolCalled | MostCost | MostTime, Field(discriminator="kind")]
_CHECKS: TypeAdapter[list[AnyCheck]] = TypeAdapter(list[AnyCheck])


def read_checks(content: Any) -> list[AnyCheck]:
    """Raises `InvalidBody` that names the check and the field."""
    try:
        checks = _CHECKS.validate_python(content)
    except ValidationError as error:
        faults = [
            {"type": fault["type"], "loc": ["checks", *map(str, fault["loc"])], "msg": fault["msg"]}
            for fault in error.errors()
        ]
        raise InvalidBody(faults) from error
    for number, check in enumerate(checks):
        if isinstance(check, Schema) and (fault := schema_fault(check.json_schema)):
            raise InvalidBody([{"type": "schema", "loc": ["checks", str(number), "schema"], "msg": fault}])
    return checks


def outcomes(checks: Sequence[AnyCheck], answer: Answer) -> Mapping[str, bool]:
    """By name; a check that has nothing to compare with is left out."""
    found: dict[str, bool] = {}
    for number, check in enumerate(checks, start=1):
        passed = check.passes(answer)
        if passed is not None:
            name = check.name or check.kind
            found[name if name not in found else f"{name} {number}"] = passed
    return found
