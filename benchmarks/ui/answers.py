"""Server time, statements and bytes of every page and of the parts that htmx asks for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from typing_extensions import override

from benchmarks.results import Result, p50_p95, percentile
from benchmarks.ui.visitor import PART, Sight, Visitor

_TARGET = re.compile(r'hx-target(?::inherited)?="#([\w-]+)"')
# What a page asks for by itself: charts once it stands, facets once they are unfolded
_LATER = re.compile(r'<[^<>]*\bhx-get="([^"]+)"[^<>]*\bhx-trigger="(?:load|toggle once)"[^<>]*>')
_OWN_ID = re.compile(r'\bid="([\w-]+)"')
_ASSET = re.compile(r'(?:href|src)="(/assets/[^"]+)"')
_WARM_UP = 3
# Who it is and whether they may: asked before the clock of `Server-Timing` starts.
_SIGN_IN_STATEMENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Of one kind of page (web-ui 3.0)."""

    milliseconds: int
    statements: int
    kilobytes: int

    @override
    def __str__(self) -> str:
        return f"p95 <= {self.milliseconds} ms, {self.statements} statements, {self.kilobytes} kB"


LIST = Budget(milliseconds=120, statements=8, kilobytes=25)
TRACE = Budget(milliseconds=180, statements=12, kilobytes=60)
SHELL = Budget(milliseconds=80, statements=8, kilobytes=25)
PART_OF_PAGE = Budget(milliseconds=60, statements=5, kilobytes=25)
_ASSETS = {"css": 12, "js": 22}


def measure(visitor: Visitor, facts: Mapping[str, Any], *, rounds: int) -> list[Result]:
    pages: Mapping[str, str] = facts["pages"]
    found: list[Result] = []
    for name, path in pages.items():
        sight = visitor.look(path)
        if sight.status != 200 or "<html" not in sight.html:
            continue
        budget = SHELL if name == "overview" else TRACE if name in facts["details"] else LIST
        found += _page(visitor, f"page `{name}`", path, budget, rounds=rounds)
        found += _parts(visitor, name, path, sight.html, rounds=rounds)
        found += _later_parts(visitor, name, sight.html, rounds=rounds)
    month = visitor.look(f"{pages['overview']}?range=30d")
    found += _later_parts(visitor, "overview of 30 days", month.html, rounds=rounds)
    for place, path in enumerate(facts["long"][:2]):
        promised = (TRACE, None)[place]
        found += _page(visitor, f"trace of {(500, 2000)[place]} spans", path, promised, rounds=max(5, rounds // 4))
    return [*found, *_assets(visitor, next(iter(pages.values())))]


def _page(visitor: Visitor, name: str, path: str, budget: Budget | None, *, rounds: int) -> Iterator[Result]:
    yield _result(name, _looks(visitor, path, {}, rounds), budget)


def _parts(visitor: Visitor, name: str, path: str, html: str, *, rounds: int) -> Iterator[Result]:
    for target in sorted(set(_TARGET.findall(html))):
        headers = {**PART, "HX-Target": f"div#{target}"}
        first = visitor.look(path, headers)
        if first.status == 200 and "<html" not in first.html:
            # A trace that is asked for anew is the trace.
            budget = TRACE if (name, target) == ("request", "work") else PART_OF_PAGE
            yield _result(f"part `{name}#{target}`", _looks(visitor, path, headers, rounds), budget)


def _later_parts(visitor: Visitor, name: str, html: str, *, rounds: int) -> Iterator[Result]:
    for tag in _LATER.finditer(html):
        own = _TARGET.search(tag[0]) or _OWN_ID.search(tag[0])
        if own:
            headers = {**PART, "HX-Target": f"div#{own[1]}"}
            looks = _looks(visitor, unescape(tag[1]), headers, rounds)
            yield _result(f"part `{name}#{own[1]}`, later", looks, PART_OF_PAGE)


def _looks(visitor: Visitor, path: str, headers: Mapping[str, str], rounds: int) -> list[Sight]:
    return [visitor.look(path, headers) for _ in range(rounds + _WARM_UP)][_WARM_UP:]


def _result(name: str, sights: list[Sight], budget: Budget | None) -> Result:
    seconds = [sight.server_s for sight in sights]
    statements = max(sight.statements for sight in sights) + _SIGN_IN_STATEMENTS
    size = max(sight.bytes for sight in sights) / 1000
    is_within = budget and (
        all(sight.status == 200 for sight in sights)
        and percentile(seconds, 0.95) * 1000 <= budget.milliseconds
        and statements <= budget.statements
        and size <= budget.kilobytes
    )
    return Result(
        name=f"{name}: server p50 / p95",
        budget=str(budget) if budget else "-",
        value=f"{p50_p95(seconds)}, {statements} statements, {size:.1f} kB",
        passed=is_within,
        note=f"{len(sights)} looks, answered {sights[0].status}",
    )


def _assets(visitor: Visitor, path: str) -> Iterator[Result]:
    for address in sorted(set(_ASSET.findall(visitor.look(path).html))):
        kind = address.rpartition(".")[2]
        size = visitor.look(address).bytes / 1000
        most = _ASSETS.get(kind)
        yield Result(
            name=f"{kind.upper()}, gzipped",
            budget=f"<= {most} kB" if most else "-",
            value=f"{size:.1f} kB",
            passed=size <= most if most else None,
        )
