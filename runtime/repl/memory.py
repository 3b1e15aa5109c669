"""The commands about what a session remembers and how a request went (contract 2.2.7, 2.2.8, 2.2.13, 2.2.15)."""

import json
from typing import Any

from runtime.repl.command import Command, UsageError, checked_limit, chosen_request
from runtime.repl.desk import Desk
from runtime.repl.text import one_line
from runtime.repl.thought import counted, number
from runtime.repl.view import Outcome

_MAX_SIGNALS = 200


def _compact(desk: Desk, arguments: list[str]) -> Outcome:
    talk = desk.conversation
    with desk.screen.working("The session is being summed up"):
        answer = talk.client.compact_session(talk.agent_id, talk.session_id)
    if "summary_text" in answer:
        desk.screen.line(str(answer["summary_text"]) or "There is nothing to sum up yet.")
    else:
        desk.screen.line(f"It goes on as request {answer['request_id']}.")
    return Outcome.ANSWERED


def _fork(desk: Desk, arguments: list[str]) -> Outcome:
    talk = desk.conversation
    turn_id = _turn_id(desk, arguments[0]) if arguments else ""
    fork = talk.client.fork_session(talk.agent_id, talk.session_id, after_turn_id=turn_id)
    desk.screen.line(f"Left session {one_line(talk.session_id)}.", "dim")
    talk.session_id = str(fork["session_id"])
    desk.screen.line(f"Now in session {one_line(talk.session_id)} with {counted(fork['turn_count'], 'turn')}.")
    return Outcome.ANSWERED


def _erase(desk: Desk, arguments: list[str]) -> Outcome:
    talk = desk.conversation
    if arguments != ["yes"]:
        raise UsageError(f"/erase yes erases all that was said in session {one_line(talk.session_id)}, for good.")
    erased = talk.client.erase_session(talk.agent_id, talk.session_id)["erased"]
    desk.screen.table(("What", "Erased"), [(name, f"{count:,}") for name, count in erased.items()])
    return Outcome.ANSWERED


def _search(desk: Desk, arguments: list[str]) -> Outcome:
    if not arguments:
        raise UsageError("Usage: /search <query>, where a query reads @user: words or @agent: words")
    results = desk.conversation.client.search_memory(desk.conversation.agent_id, arguments[0])["results"]
    rows = [(f"{row['similarity_score']:.2f}", row["session_id"], row["turn_id"], row["preview"]) for row in results]
    desk.screen.table(("Score", "Session", "Turn", "Begins"), rows)
    return Outcome.ANSWERED


def _signals(desk: Desk, arguments: list[str]) -> Outcome:
    talk, limit = desk.conversation, checked_limit(arguments, "/signals [limit]")
    answer = talk.client.get_signals(talk.agent_id, talk.session_id, limit=limit)
    for name, definition in answer["definitions"].items():
        desk.screen.line(f"{one_line(name)}: {one_line(definition['description'])}", "dim")
    rows = [(row["turn_id"], json.dumps(row["signals"], ensure_ascii=False)[:_MAX_SIGNALS]) for row in answer["turns"]]
    desk.screen.table(("Turn", "Signals"), rows)
    return Outcome.ANSWERED


def _trace(desk: Desk, arguments: list[str]) -> Outcome:
    talk = desk.conversation
    row = talk.client.request_status(talk.agent_id, chosen_request(desk, arguments, "/trace [request]"))
    if not row["trace_id"]:
        raise UsageError(f"Request {row['request_id']} has not begun.")
    trace = talk.client.get_reasoning_trace(talk.agent_id, row["session_id"], row["trace_id"])
    for step in trace["steps"]:
        _show_step(desk, step)
    if error := trace.get("error"):
        desk.screen.line(one_line(str(error["message"])), "red")
    sums = trace["summary"]
    counts = f"{counted(sums['total_steps'], 'step')}, {counted(sums['total_tools'], 'tool')}"
    desk.screen.line(
        f"{trace['status']}: {counts}, {sums['total_tokens']:,} tokens, {number(sums['total_duration_ms']):,} ms",
        "bold",
    )
    return Outcome.ANSWERED


def _show_step(desk: Desk, step: dict[str, Any]) -> None:
    usage = step["token_usage"]
    tokens = usage["input"] + usage["output"]
    took = f"thought {number(step['think_duration_ms']):,} ms, acted {number(step['act_duration_ms']):,} ms"
    desk.screen.line(f"-> Step {step['step']}: {one_line(step['title'])} ({tokens:,} tokens), {took}", "cyan")
    if step["assistant_text"]:
        desk.screen.line(step["assistant_text"], "dim")
    for call in step["tool_calls"]:
        desk.screen.line(f"   {one_line(call['preview'])}")


def _turn_id(desk: Desk, word: str) -> str:
    """By its number in `/history`, or by its own id."""
    if not word.isdecimal():
        return word
    talk = desk.conversation
    turns = talk.client.get_history(talk.agent_id, talk.session_id)["turns"]
    if not 1 <= int(word[:9]) <= len(turns):
        raise UsageError(f"This session has {counted(len(turns), 'turn')}; /history shows them.")
    return str(turns[int(word[:9]) - 1]["turn_id"])


MEMORY = (
    Command(name="compact", help="Sum this session up, so that it takes less of the model's room.", run=_compact),
    Command(name="fork", arguments="[turn]", help="Go on in a copy of this session, as of a turn.", run=_fork),
    Command(name="erase", arguments="[yes]", help="Erase all that was said in this session.", run=_erase),
    Command(
        name="search",
        arguments="<query>",
        takes_text=True,
        help="Search what was said: @user: words, or @agent: words.",
        run=_search,
    ),
    Command(
        name="signals", arguments="[limit]", help="Show what was noticed about this session's turns.", run=_signals
    ),
    Command(name="trace", arguments="[request]", help="Tell step by step how a request went.", run=_trace),
)
