"""What a check finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the log says. Without `repair` a person must look."""

    where: str
    """Which request, session or sum."""
    what: str
    repair: Mapping[str, Any] = field(default_factory=dict)
    """Columns and the values that they should have."""
    is_repairable: bool = False
    """For what is repaired in another way than by columns."""

    @property
    def can_be_repaired(self) -> bool:
        return self.is_repairable or bool(self.repair)

    @override
    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
