"""Runs a command as an operator would, and keeps what it said."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def run(db: None) -> Callable[..., Said]:
    def run_command(*arguments: str) -> Said:
        out, err, code = io.StringIO(), io.StringIO(), 0
        try:
            call_command(*arguments, stdout=out, stderr=err)
        except CommandError as error:
            err.write(str(error))
            code = error.returncode
        except SystemExit as end:
            code = int(end.code or 0)
        return Said(code, out.getvalue(), err.getvalue())

    return run_command
