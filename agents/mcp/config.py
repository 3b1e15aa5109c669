"""How one MCP server is reached, and what may be shown of that (contract 5.14)."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import PurePath
from urllib.parse import urlsplit, urlunsplit

_HIDDEN = "[secret]"
_LIKE_A_KEY = re.compile(r"(?s)(?=.*\d).{8,}|.{20,}")


@dataclass(frozen=True)
class MCPServerConfig:
    """A server over streamable HTTP (`url`) or, where the operator allows it, one that is started here (`command`)."""

    name: str
    url: str = ""
    description: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allowed_tools: Sequence[str] | None = None
    """Names of the only tools to use; None means all."""
    command: str = field(default="", kw_only=True)
    args: Sequence[str] = field(default=(), kw_only=True, repr=False)
    env: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False)
    timeout_s: float = field(default=60, kw_only=True)
    allow_sampling: bool = field(default=False, kw_only=True)
    """Lets the server ask the agent's own model during a call."""
    allow_elicitation: bool = field(default=False, kw_only=True)
    """Lets the server ask a person during a call."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("name must not be blank.")
        if bool(self.url) == bool(self.command):
            raise ValueError(f"{self.name}: give either url or command.")
        if self.timeout_s <= 0:
            raise ValueError(f"{self.name}: timeout_s must be greater than 0.")

    @property
    def is_local(self) -> bool:
        """Whether the server is a process that is started here."""
        return bool(self.command)

    @cached_property
    def digest(self) -> str:
        """Changes with anything that a connection depends on."""
        values = asdict(self) | {"args": list(self.args), "allowed_tools": None, "timeout_s": None, "description": ""}
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=dict).encode()).hexdigest()

    @cached_property
    def shown_address(self) -> str:
        """Where the server is, for logs and pages: neither query nor long path segments, which may be keys."""
        if self.is_local:
            return f"stdio:{PurePath(self.command).name}"
        parts = urlsplit(endpoint(self.url))
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{re.sub(r'[^/]{16,}', '…', parts.path)}"

    def redact(self, text: str) -> str:
        """The text without this server's secrets, should the server or a library have put them in."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    def _secrets(self) -> Iterator[str]:
        """What looks like a key among what may be one; a plain word such as `production` would be missed in every answer."""
        parts = urlsplit(self.url)
        for value in (*self.headers.values(), *self.env.values(), parts.query):
            yield from (piece for piece in {value, *re.split(r"[\s=&]+", value)} if _LIKE_A_KEY.fullmatch(piece))
        yield from re.findall(r"[^/]{16,}", parts.path)
        yield from [parts.password] if parts.password else []


def endpoint(url: str) -> str:
    """The URL that is asked: an empty path means `/mcp`, and a path that does not name it gets it appended."""
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/")
    if not (path.endswith("/mcp") or "/mcp/" in parts.path):
        return urlunsplit(parts._replace(path=f"{path}/mcp", fragment=""))
    return urlunsplit(parts._replace(fragment=""))
