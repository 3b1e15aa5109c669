"""Shows what is asked and, for an approval, exactly what would run."""

import json
import time
from collections.abc import Mapping
from typing import Any

from runtime.repl.questions import APPROVAL, CHOICE, Question
from runtime.repl.screen import Screen
from runtime.repl.text import one_line, plain, visible
from runtime.repl.thought import text

MAX_ARGUMENTS = 6000
MAX_PROMPT = 2000
_SILENCE = {APPROVAL: "silence denies", CHOICE: "silence chooses nothing"}


def show_question(screen: Screen, question: Question) -> None:
    verb = "needs an approval" if question.kind == APPROVAL else "asks"
    prompt = plain(question.prompt)[:MAX_PROMPT]
    screen.line(f"{one_line(question.agent_id)} {verb}: {prompt}", "bold yellow")
    if question.kind == APPROVAL:
        for call in question.calls:
            _show_call(screen, call)
    for number, option in enumerate(question.options, start=1):
        screen.line(f"  {number}. {one_line(option)}")
    if until := time_left(question):
        screen.line(f"  {until}; {_SILENCE.get(question.kind, 'silence is an empty answer')}.", "dim")


def time_left(question: Question) -> str:
    """Until when the question is open, by this machine's clock."""
    left = question.deadline - time.time()
    if not question.deadline:
        return ""
    if left <= 0:
        return "The time to answer is over"
    clock = time.strftime("%H:%M:%S", time.localtime(question.deadline))
    return f"Open until {clock} ({_duration(left)})"


def how_to_answer(question: Question) -> str:
    """For whoever is not asked here and now."""
    path = f"/api/v1/agent/{question.agent_id}/request/{question.request_id}/interaction"
    example = {APPROVAL: "approve", CHOICE: list(question.options[:1])}.get(question.kind, "...")
    body = json.dumps({"interaction_id": question.interaction_id, "response": example})
    return f"Answer with /inbox in mash_repl, in the admin under Interactions, or with POST {path} {body}"


def _show_call(screen: Screen, call: Mapping[str, Any]) -> None:
    """Nothing may hide here: characters that a terminal does not show are written as escapes, a cut is told."""
    screen.line(f"  {visible(text(call.get('name')))}", "bold")
    arguments = json.dumps(call.get("arguments", {}), indent=2, ensure_ascii=False)
    shown = visible(arguments[:MAX_ARGUMENTS])
    for line in shown.splitlines():
        screen.line(f"    {line}")
    if len(arguments) > MAX_ARGUMENTS:
        screen.line(f"    {len(arguments) - MAX_ARGUMENTS:,} more characters are NOT shown here.", "bold red")


def _duration(seconds: float) -> str:
    return f"{round(seconds)} s" if seconds < 120 else f"{round(seconds / 60)} min"
