"""Keeps the beginning of a command's output and counts the rest (contract 5.11)."""

MAX_LINES = 50
MAX_CHARACTERS = 4000
MAX_BYTES = 16 * 1024 * 1024
"""A command that prints more is killed: nobody will read it."""


class Output:
    """Takes output as it comes; its size in memory has a bound."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._bytes = 0
        self._newlines = 0
        self._ends_with_newline = True

    def take(self, chunk: bytes) -> bool:
        """Whether there may be more."""
        self._kept += chunk[: max(0, MAX_CHARACTERS * 4 - len(self._kept))]
        self._bytes += len(chunk)
        self._newlines += chunk.count(b"\n")
        self._ends_with_newline = chunk.endswith(b"\n")
        return self._bytes <= MAX_BYTES

    def text(self) -> str:
        """The first lines, with a notice of what was cut."""
        total = self._newlines + (not self._ends_with_newline)
        text = self._kept.decode("utf-8", "replace")
        lines = text if total <= MAX_LINES else "\n".join(text.split("\n")[:MAX_LINES])
        shown, cuts = lines[:MAX_CHARACTERS], []
        if total > MAX_LINES:
            cuts.append(f"{total} lines in all, at most {MAX_LINES} shown")
        if len(lines) > MAX_CHARACTERS:
            cuts.append(f"at most {MAX_CHARACTERS} characters shown")
        return f"{shown.rstrip()}\n[cut: {'; '.join(cuts)}]" if cuts else shown
