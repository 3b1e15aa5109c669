"""How a step has ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.engine import StepError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    output: Any = None
    error: StepError | None = None
    """None: it is completed."""
    state: Mapping[str, Any] | None = None
    """What it leaves for this step of the next run; None: nothing new."""
    request_id: str = ""
    """Of the child that did it."""
