"""Django's SQLite backend whose writers take turns.

SQLite lets one connection write at a time; the others sleep and try again, longer each time, up to 100 ms. Taking turns
outside of it wakes the next writer within a millisecond or two.
"""

from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from workspaces.sqlite.turns import OutOfTime, turns_of

_DEFAULT_TIMEOUT_S = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]  # not in the stubs
        finally:
            # A commit that failed leaves its transaction open, and the rollback that follows ends the turn.
            if not (self.connection and self.connection.in_transaction):
                self._end_turn()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]  # not in the stubs
        finally:
            self._end_turn()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]  # not in the stubs
        finally:
            self._end_turn()

    def _take_turn(self) -> None:
        if self._has_turn or self.is_in_memory_db():
            return
        try:
            turns_of(self._turn_file()).take(self.settings_dict["OPTIONS"].get("timeout", _DEFAULT_TIMEOUT_S))
        except OutOfTime:
            raise OperationalError("database is locked") from None
        self._has_turn = True

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            turns_of(self._turn_file()).end()

    def _turn_file(self) -> str:
        return f"{self.settings_dict['NAME']}-turn"
