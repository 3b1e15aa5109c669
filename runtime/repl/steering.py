"""The commands that steer requests: stop, go on, once more, and answer what they ask (extensions 4 and 5)."""

from typing import Any

from runtime.repl.command import Command, UsageError, chosen_request
from runtime.repl.desk import Answering, Desk
from runtime.repl.questions import Question
from runtime.repl.settlements import Settlements
from runtime.repl.show_question import time_left
from runtime.repl.text import one_line
from runtime.repl.view import Outcome
from runtime.repl.watch import watch_request


def _cancel(desk: Desk, arguments: list[str]) -> Outcome:
    talk = desk.conversation
    request_id = chosen_request(desk, arguments, "/cancel [request]")
    row = talk.client.cancel_request(talk.agent_id, request_id)
    note = "" if row.get("is_terminal") else "; it ends within two seconds"
    desk.screen.line(f"Request {request_id} is {row['status']}{note}.")
    return Outcome.ANSWERED


def _resume(desk: Desk, arguments: list[str]) -> Outcome:
    talk = desk.conversation
    request_id = chosen_request(desk, arguments, "/resume [request]")
    # What came before this was told when it happened.
    head = int(talk.client.request_status(talk.agent_id, request_id)["request_seq"])
    talk.client.resume_request(talk.agent_id, request_id)
    return watch_request(desk, talk.agent_id, request_id, after_sequence=head)


def _rerun(desk: Desk, arguments: list[str]) -> Outcome:
    talk = desk.conversation
    request_id = chosen_request(desk, arguments, "/rerun [request]")
    again = str(talk.client.rerun_request(talk.agent_id, request_id)["request_id"])
    desk.screen.line(f"Request {again} runs it again.", "dim")
    return watch_request(desk, talk.agent_id, again)


def _inbox(desk: Desk, arguments: list[str]) -> Outcome:
    if not arguments:
        desk.inbox = _open_questions(desk)
        _list(desk)
        return Outcome.ANSWERED
    question = _numbered(desk, arguments[0])
    if desk.settle(question, Settlements()) is Answering.LEFT_OPEN:
        return Outcome.WAITING
    left = desk.conversation.left
    if left is None:
        return Outcome.ANSWERED
    return watch_request(desk, left.agent_id, left.request_id, after_sequence=left.cursor)


def _open_questions(desk: Desk) -> list[Question]:
    """The newest page of the workspace's; it is told when there are more."""
    answer: dict[str, Any] = desk.conversation.client.list_interactions(state="open")
    if answer.get("next"):
        desk.screen.line("There are older ones too; the admin lists all.", "yellow")
    return [Question.read(row) for row in answer["interactions"]]


def _list(desk: Desk) -> None:
    if not desk.inbox:
        desk.screen.line("Nobody waits for an answer.")
        return
    rows = [
        (str(number), question.agent_id, question.kind, one_line(question.prompt)[:60], time_left(question))
        for number, question in enumerate(desk.inbox, start=1)
    ]
    desk.screen.table(("No.", "Agent", "Kind", "Question", "Time"), rows)
    desk.screen.line("/inbox <number> shows a question whole and answers it.", "dim")


def _numbered(desk: Desk, text: str) -> Question:
    desk.inbox = desk.inbox or _open_questions(desk)
    if not text.isdecimal() or not 1 <= int(text[:9]) <= len(desk.inbox):
        raise UsageError(f"Usage: /inbox [number]. The inbox lists {len(desk.inbox)}.")
    return desk.inbox[int(text[:9]) - 1]


STEERING = (
    Command(name="cancel", arguments="[request]", help="Stop this session's newest request, or another.", run=_cancel),
    Command(name="resume", arguments="[request]", help="Let a stopped or failed request go on.", run=_resume),
    Command(name="rerun", arguments="[request]", help="Send a request's message again.", run=_rerun),
    Command(name="inbox", arguments="[number]", help="List what waits for an answer, or answer it.", run=_inbox),
)
