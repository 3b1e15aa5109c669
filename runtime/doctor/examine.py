"""Runs every examination, those of the database's content only when the database is there to be asked."""

from collections.abc import Callable, Iterator

from runtime.doctor import agents, database, machine, redis_server, site, tools, work
from runtime.doctor.finding import Finding, Level, fail

Examination = Callable[[], Iterator[Finding]]

_FIRST: tuple[Examination, ...] = (machine.examine, site.examine, database.examine, redis_server.examine, tools.examine)
_WITH_TABLES: tuple[Examination, ...] = (work.examine, agents.examine)


def examine() -> list[Finding]:
    findings = [finding for examination in _FIRST for finding in _findings_of(examination)]
    if not any(finding.subject == "database" and finding.level == Level.FAIL for finding in findings):
        findings += [finding for examination in _WITH_TABLES for finding in _findings_of(examination)]
    return findings


def _findings_of(examination: Examination) -> list[Finding]:
    try:
        return list(examination())
    except Exception as error:  # the doctor must not fall ill with the patient; an error's text may hold a secret
        name = examination.__module__.rpartition(".")[2]
        return [fail(name, f"could not be examined: {type(error).__name__}")]
