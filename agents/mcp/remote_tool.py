"""A tool as a server lists it."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class RemoteTool:
    """`definition` is all that a model or a person is told of the tool, and what a pin compares."""

    name: str
    definition: dict[str, Any]

    @cached_property
    def digest(self) -> str:
        text = json.dumps([self.name, self.definition], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def hint(self, name: str) -> bool:
        """A hint of the server about its tool, such as `read_only_hint`. Not a promise."""
        return self.definition["annotations"].get(name) is True
