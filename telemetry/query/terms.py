"""What requests can be looked for by: the keys of the grammar, and how their values are read.

A term is the same whether it was a parameter of its own (`min_ms=2000`) or a part of `q` (`latency:>=2s`).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from runtime.kinds import RequestKind, Status

TEXT = "text"
META = "meta."
HAS = ("error", "tool_error", "subagent", "interaction")
SIGNAL = "signal."
_LONGEST_VALUE = 255
_LARGEST = Decimal(10) ** 12
_UNITS: Mapping[str, Mapping[str, Decimal]] = {
    "latency": {"ms": Decimal(1), "s": Decimal(1000), "m": Decimal(60_000), "h": Decimal(3_600_000)},
    "tokens": {"": Decimal(1), "k": Decimal(1000), "m": Decimal(1_000_000)},
    "cost": {"": Decimal(1), "usd": Decimal(1)},
}
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_EXAMPLES = {"latency": "2s, 500ms or 3m", "tokens": "500, 10k or 1.5m", "cost": "0.05"}


class BadTerm(ValueError):
    """A key or value that makes no sense; its text is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Term:
    key: str
    operator: str
    value: str | Decimal


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an address that stands for one term."""

    key: str
    operator: str = "="
    unit: str = ""


PARAMETERS: Mapping[str, Parameter] = {
    **{name: Parameter(name) for name in ("agent", "status", "model", "tool", "user", "session", "kind", "has")},
    "min_ms": Parameter("latency", ">=", "ms"),
    "max_ms": Parameter("latency", "<=", "ms"),
    "min_tokens": Parameter("tokens", ">="),
    "min_cost": Parameter("cost", ">="),
}
KEYS = (*(name for name, about in PARAMETERS.items() if about.operator == "="), *_UNITS, "meta.<name>")


def read_parameter(name: str, text: str) -> Term:
    about = PARAMETERS[name]
    if about.unit and not _NUMBER.fullmatch(text):
        raise BadTerm(f"It takes a number of {about.unit}.")
    return read_term(about.key, about.operator, f"{text}{about.unit}")


def read_term(key: str, operator: str, text: str) -> Term:
    """The term that these words mean; `BadTerm` says why there is none."""
    if key in PARAMETERS and PARAMETERS[key].operator != "=":
        if operator != "=":
            raise BadTerm(f"{key} compares by itself; write {key}:{text}.")
        return read_parameter(key, text)
    if "\0" in text or len(text) > _LONGEST_VALUE:
        raise BadTerm(f"A value has at most {_LONGEST_VALUE} characters, none of them NUL.")
    if key in _UNITS:
        return Term(key, operator, _amount(key, text))
    read = _reader_of(key)
    if operator != "=":
        raise BadTerm(f"{key} cannot be compared with {operator}; only {', '.join(_UNITS)} can.")
    return Term(key, "=", read(text))


def _reader_of(key: str) -> Callable[[str], str]:
    if key in _READERS:
        return _READERS[key]
    if key.startswith(META) and len(key) > len(META) and "\0" not in key:
        return _plain
    if key.startswith(SIGNAL):
        raise BadTerm("Signals are not in this database, so requests cannot be filtered by them here.")
    raise BadTerm(f"{key} is unknown; there are {', '.join(KEYS)}.")


def _amount(key: str, text: str) -> Decimal:
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)", text.lower(), re.ASCII)
    factor = _UNITS[key].get(found[2]) if found else None
    if not found or factor is None:
        raise BadTerm(f"{key}: {text[:40]} is no amount; write it like {_EXAMPLES[key]}.")
    # So that the same amount is the same term, whatever it was written like
    amount = Decimal(found[1]) * factor
    if amount > _LARGEST:
        raise BadTerm(f"{key}: {text[:40]} is too large.")
    return amount.normalize()


def _plain(text: str) -> str:
    if not text:
        raise BadTerm("A value is missing.")
    return text


def _one_of(key: str, known: tuple[str, ...], *, aliases: Mapping[str, str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        value = aliases.get(text, text)
        if value not in known:
            raise BadTerm(f"{key}: {text[:40]} is unknown; choose {', '.join(known)}.")
        return value

    return read


_READERS: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("agent", "model", "tool", "user", "session", TEXT), _plain),
    "status": _one_of("status", tuple(Status.values), aliases={"error": Status.FAILED.value}),
    "kind": _one_of("kind", tuple(RequestKind.values), aliases={}),
    "has": _one_of("has", HAS, aliases={}),
}
