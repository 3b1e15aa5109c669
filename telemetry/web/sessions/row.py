"""A row of the list of sessions: what memory knows of one, and what its requests say."""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.memory.models import Session
from telemetry.query.session_figures import Figures
from telemetry.query.sessions import Pair, pairs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    session: Session
    figures: Figures
    is_update: bool = False
    """It changes a row that is shown, and adds none."""

    @property
    def sort(self) -> int:
        """Milliseconds, by which the page's script keeps rows in their order."""
        return round(self.session.last_activity_at.timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnless:
    """A session that memory does not know: its first turn is under way, or never came to an end."""

    agent_id: str
    session_id: str
    figures: Figures

    @property
    def shown_status(self) -> str:
        return self.figures.shown_status or ("failed" if self.figures.failed else "cancelled")

    @property
    def status_hint(self) -> str:
        return self.figures.status_hint


def rows_of(sessions: Iterable[Session], figures: dict[Pair, Figures]) -> list[SessionRow]:
    none = Figures()
    return [
        SessionRow(session=session, figures=figures.get((session.agent_id, session.session_id), none))
        for session in sessions
    ]


def turnless_of(sessions: Iterable[Session], figures: dict[Pair, Figures]) -> list[Turnless]:
    """Those that hold no turn and are not among these sessions."""
    known = set(pairs_of(sessions))
    return [
        Turnless(agent_id=agent_id, session_id=session_id, figures=each)
        for (agent_id, session_id), each in figures.items()
        if not each.completed and (agent_id, session_id) not in known
    ]
