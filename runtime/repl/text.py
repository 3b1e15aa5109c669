"""Makes text from outside safe for a terminal: models repeat what strangers wrote."""

import re
import unicodedata

# Whole sequences first (CSI, then OSC, DCS, APC and PM up to their end), so that their parameters go with them.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]P_^X]|[\x9d\x90\x9f\x9e\x98])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
)
_KEPT = "\n\t"
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """The text without escape sequences, control characters, lone surrogates and marks that turn the reading direction."""
    return "".join(_harmless(char) for char in _SEQUENCES.sub("", text))


def visible(text: str) -> str:
    """The text with everything that a terminal does not show, or obeys, written as an escape."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


def one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _harmless(char: str) -> str:
    if char in _KEPT:
        return char
    category = unicodedata.category(char)
    if category == "Cs":
        return "\ufffd"
    return "" if category == "Cc" or char in _TURNING else char
