"""The versions of an agent or a workflow, and what changed between two of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from agents.versions import diff_lines, version_diff

PAGE_SIZE = 20


def version_history(subject: Any, parameters: Mapping[str, str]) -> dict[str, Any]:
    """A page of what has `versions` and a `current_version`, newest first; with `a` and `b`, also how they differ."""
    versions: QuerySet[Any] = subject.versions.select_related("author").order_by("-number")
    before = _number(parameters.get("before"))
    found = list((versions.filter(number__lt=before) if before else versions)[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    current = subject.current_version.number if subject.current_version else 0
    newer = _number(parameters.get("b")) or current
    older = _number(parameters.get("a")) or max(0, newer - 1)
    return {
        "versions": page,
        "next_before": page[-1].number if len(found) > PAGE_SIZE else None,
        "a": older,
        "b": newer,
        "lines": _difference(versions, page, older, newer),
        "current_pk": subject.current_version_id,
        "source": subject.source,
    }


def _difference(versions: "QuerySet[Any]", page: Sequence[Any], a: int, b: int) -> list[tuple[str, str]] | None:
    """None when there is no such version."""
    known = {version.number: version for version in page}
    if missing := {a, b} - {0} - set(known):
        known |= {version.number: version for version in versions.filter(number__in=missing)}
    if b not in known or (a and a not in known):
        return None
    return diff_lines(version_diff(known.get(a), known[b]))


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
