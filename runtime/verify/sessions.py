"""Sessions against the turns that they add up."""

from collections.abc import Iterator
from typing import Any

from django.db import router, transaction

from agents.memory.models import Session
from runtime.verify.difference import Difference
from workspaces.models import Workspace

_AT_A_TIME = 200


def check_session(workspace: Workspace, session: Session, *, is_repairing: bool) -> list[Difference]:
    """Looks once more under a lock before it says that something differs, for sessions are written to meanwhile."""
    if not list(_compare(session)):
        return []
    with transaction.atomic(using=router.db_for_write(Session)):
        locked = workspace.sessions.select_for_update(no_key=True).filter(pk=session.pk).first()
        found = list(_compare(locked)) if locked else []
        changes = {name: value for difference in found for name, value in difference.repair.items()}
        if is_repairing and changes:
            workspace.sessions.filter(pk=session.pk).update(**changes)
    return found


def _compare(session: Session) -> Iterator[Difference]:
    where = f"session {session.agent_id}/{session.session_id}"
    count, total, latest = 0, 0, None
    turns = session.turns.order_by("pk").only("turn_id", "session_total_tokens", "metadata", "created_at")
    for turn in turns.iterator(chunk_size=_AT_A_TIME):
        expected = total + _tokens(turn.metadata)
        if not turn.is_checkpoint and turn.session_total_tokens != expected:
            what = f"turn {turn.turn_id} counts {turn.session_total_tokens} tokens, the turns before it and its own make {expected}"
            yield Difference(where=where, what=what)
        count, total, latest = count + 1, turn.session_total_tokens, turn
    expected_columns: dict[str, Any] = {"turn_count": count, "total_tokens": total}
    if latest is not None:
        expected_columns["last_activity_at"] = latest.created_at
    for name, value in expected_columns.items():
        stored = getattr(session, name)
        if stored != value:
            yield Difference(where=where, what=f"{name} is {stored}, its turns say {value}", repair={name: value})


def _tokens(metadata: dict[str, Any]) -> int:
    usage = metadata.get("token_usage") or {}
    return int(usage.get("input") or 0) + int(usage.get("output") or 0)
