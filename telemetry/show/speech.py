"""What a model is saying, shown while it is said: finished blocks as Markdown, the rest as the words that it is."""

from dataclasses import dataclass

_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Said:
    """What a page must change."""

    blocks: str = ""
    """Markdown of what is finished now, to be shown after what was finished before."""
    tail: str = ""
    is_whole_tail: bool = True
    """Whether the tail replaces what is shown of it, or goes on from there."""


class Speech:
    def __init__(self) -> None:
        self._tail = ""

    def begin(self) -> None:
        self._tail = ""

    def take(self, text: str) -> Said:
        """The next words."""
        self._tail += text
        end = finished(self._tail)
        if not end:
            return Said(tail=text, is_whole_tail=False)
        blocks, self._tail = self._tail[:end], self._tail[end:]
        return Said(blocks=blocks, tail=self._tail)


def finished(text: str) -> int:
    """Where the block begins that is not finished: after the last blank line, or end of a fence, that no fence is around."""
    end = place = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        place += len(line)
        if not line.endswith("\n"):
            break
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence else fence
            end = end if fence else place
        elif mark in _FENCES:
            fence = mark
        elif not line.strip():
            end = place
    return end
