"""What a check finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the log says. Without `repair` a person must look."""

    where: str
    """Which request, session or sum."""
    what: str
    repair: Mapping[str, Any] = field(default_factory=dict)
    """Columns and the values that the log gives them."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
