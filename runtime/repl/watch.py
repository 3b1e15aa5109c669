"""Follows one request to its end: shows it, asks what it asks, and cancels it on Ctrl-C."""

import contextlib

from runtime.client import MashHostClientError
from runtime.repl.connection import advice
from runtime.repl.conversation import LeftRequest
from runtime.repl.desk import Answering, Desk
from runtime.repl.feed import EventFeed
from runtime.repl.questions import Question, question_in
from runtime.repl.settlements import Settlements
from runtime.repl.told import Told
from runtime.repl.view import Outcome, RequestView


def watch_request(desk: Desk, agent_id: str, request_id: str, *, after_sequence: int = 0) -> Outcome:
    """Shows the request's events after the cursor, and how it ended."""
    left = desk.conversation.left
    if left and left.request_id == request_id:
        desk.conversation.left = None
    return _Watch(desk, agent_id, request_id, after_sequence).run()


class _Watch:
    def __init__(self, desk: Desk, agent_id: str, request_id: str, after_sequence: int) -> None:
        self._desk = desk
        self._screen = desk.screen
        self._talk = desk.conversation
        self._agent_id, self._request_id = agent_id, request_id
        self._cursor = after_sequence
        self._view = RequestView(desk.screen, agent_id)
        self._settlements = Settlements()
        self._is_cancelling = False

    def run(self) -> Outcome:
        """The first Ctrl-C cancels, wherever it comes; the second leaves."""
        try:
            with contextlib.suppress(KeyboardInterrupt):
                return self._watch()
            self._cancel()
            return self._watch()
        except KeyboardInterrupt:
            self._screen.line(f"No longer watching request {self._request_id}.", "yellow")
            return Outcome.INTERRUPTED
        except MashHostClientError as error:
            self._screen.error(str(error), f"Request {self._request_id} goes on without us. {advice(error)}".rstrip())
            return Outcome.FAILED

    def _watch(self) -> Outcome:
        stream = self._talk.client.open_stream(self._agent_id, self._request_id, after_sequence=self._cursor)
        with (
            self._screen.working(f"{self._agent_id} is at work (Ctrl-C cancels)"),
            EventFeed(stream, on_arrival=self._settlements.note) as feed,
        ):
            return self._follow(feed)

    def _follow(self, feed: EventFeed) -> Outcome:
        for event in feed:
            self._view.take(event)
            question = question_in(Told.read(event))
            if question and self._is_left_open(question):
                return self._leave(question)
            self._cursor = event.sequence or self._cursor
        self._view.close()
        is_ours = self._is_cancelling and self._view.outcome is Outcome.FAILED
        return Outcome.INTERRUPTED if is_ours else self._view.outcome

    def _is_left_open(self, question: Question) -> bool:
        if self._is_cancelling or self._settlements.has(question):
            return False
        return self._desk.settle(question, self._settlements) is Answering.LEFT_OPEN

    def _cancel(self) -> None:
        self._is_cancelling = True
        self._screen.line("Cancelling the request; Ctrl-C once more stops watching.", "yellow")
        self._talk.client.cancel_request(self._agent_id, self._request_id)

    def _leave(self, question: Question) -> Outcome:
        """The cursor stays before the question, so that whoever comes back is asked again."""
        self._talk.left = LeftRequest(agent_id=self._agent_id, request_id=self._request_id, cursor=self._cursor)
        text = f"Question {question.interaction_id} is left open, and request {self._request_id} waits for its answer."
        self._screen.line(f"{text} /inbox answers it, /cancel {self._request_id} ends the request.", "yellow")
        return Outcome.WAITING
