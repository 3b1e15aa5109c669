"""What the list can show of a request; `cols` chooses, with commas. The form's boxes, `col`, are made into it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: str
    is_number: bool = False
    is_default: bool = True


# The time, the status and the message are always there: they say which request it is.
COLUMNS = (
    Column("agent", "Agent"),
    Column("kind", "Kind", is_default=False),
    Column("version", "Version", is_number=True, is_default=False),
    Column("session", "Session", is_default=False),
    Column("user", "User", is_default=False),
    Column("answer", "Answer"),
    Column("model", "Model", is_default=False),
    Column("steps", "Steps", is_number=True),
    Column("tools", "Tools", is_number=True),
    Column("wait", "Queue wait", is_number=True, is_default=False),
    Column("duration", "Duration", is_number=True),
    Column("tokens", "Tokens", is_number=True),
    Column("cache", "Cache read / write", is_number=True, is_default=False),
    Column("cost", "Cost", is_number=True),
)
_NAMES = {column.name for column in COLUMNS}
_DEFAULT = frozenset(column.name for column in COLUMNS if column.is_default)


def read_columns(parameters: Mapping[str, str]) -> tuple[frozenset[str], list[str]]:
    """Names of the columns to show, and those that there are not."""
    asked = [name for name in parameters.get("cols", "").split(",") if name]
    known = frozenset(asked) & _NAMES
    return known or _DEFAULT, [name for name in asked if name not in _NAMES]


def columns_text(names: Collection[str]) -> str:
    """The parameter `cols` for them: nothing for the usual ones."""
    return "" if set(names) == _DEFAULT else ",".join(names)
