"""The names under which a model sees the tools of servers (contract 5.14)."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable

_LONGEST = 64
"""What the providers take, in letters, digits, hyphens and underscores."""


def model_names(tools: Iterable[tuple[str, str]], taken: Collection[str] = ()) -> dict[tuple[str, str], str]:
    """A name for each pair of server and tool: `mcp_{server}_{tool}` where that fits and is nobody else's.

    Of several that would share a name none gets it, so that no tool slips into a name that a person approved for another.
    """
    pairs = list(dict.fromkeys(tools))
    plain = {pair: _plain(*pair) for pair in pairs}
    count = Counter(plain.values())
    return {
        pair: name if count[name] == 1 and name not in taken and _fits(name) else _marked(name, pair)
        for pair, name in plain.items()
    }


def _plain(server: str, tool: str) -> str:
    return f"mcp_{re.sub(r'[^a-z0-9]', '_', server.lower()).strip('_')}_{tool}"


def _fits(name: str) -> bool:
    return re.fullmatch(rf"[a-zA-Z0-9_-]{{1,{_LONGEST}}}", name) is not None


def _marked(name: str, pair: tuple[str, str]) -> str:
    mark = hashlib.sha256("\x00".join(pair).encode("utf-8", "replace")).hexdigest()[:8]
    return f"{re.sub(r'[^a-zA-Z0-9_-]', '_', name)[: _LONGEST - 9]}_{mark}"
