"""`python -m benchmarks.chaos`: load and mischief for a while, then every promise is held against what is left."""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from benchmarks.chaos.check import Evidence, gather, violations
from benchmarks.chaos.load import Load
from benchmarks.chaos.log import Log
from benchmarks.chaos.mischief import Mischief
from benchmarks.chaos.stack import KINDS, Kind, Stack

_END_WITHIN_S = 90.0
# Sessions with many requests need their time, so long as one after the other ends.
_ONE_MORE_WITHIN_S = 60.0
_SHOWN = 40
_ASKED = "runtime.request.interaction.create"


def main() -> int:
    # Ends as an exception, so that what runs is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options = _options()
    kinds: tuple[Kind, ...] = KINDS if options.stack == "both" else (options.stack,)
    return max([torment(kind, options.seconds, options.seed) for kind in kinds])


def torment(kind: Kind, seconds: float, seed: int) -> int:
    """0 if every promise held."""
    print(f"\n{kind}: {seconds:g} s of mischief, seed {seed}", flush=True)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="mash-chaos-") as name:
        # PostgreSQL's own user must be able to enter.
        Path(name).chmod(0o755)
        with Stack(kind, Path(name), clusters=2) as stack:
            load, mischief = Load(stack, chance), Mischief(stack, chance)
            load.start()
            try:
                mischief.run(seconds)
                stack.ensure_running()
            except BaseException:
                load.abandon()
                raise
            load.finish(_END_WITHIN_S)
            settled_s = _settle(stack)
            load.end_streams(_END_WITHIN_S)
            with stack.log() as log:
                calls = stack.model.recording.steps
                evidence = gather(log, stack.ledger(), calls, load.submitted, load.transcripts)
            return _report(evidence, stack.differences(), mischief.done, settled_s)


def _settle(stack: Stack) -> float | None:
    """Seconds until every request had ended; None when none ended any more although some were left."""
    began = time.monotonic()
    while left := stack.count_unfinished():
        try:
            stack.wait_for("one more request ends", partial(_fewer, left), _ONE_MORE_WITHIN_S)
        except TimeoutError:
            return None
    return time.monotonic() - began


def _fewer(than: int, log: Log) -> bool:
    return len(log.unfinished()) < than


def _report(evidence: Evidence, differences: list[str], done: Counter[str], settled_s: float | None) -> int:
    found = violations(evidence) + differences
    for name, value in _figures(evidence, done, settled_s).items():
        print(f"  {name:<42} {value}")
    print(f"  {'differences that mash_rebuild --check finds':<42} {len(differences)}")
    for text in found[:_SHOWN]:
        print(f"  VIOLATION {text}")
    if len(found) > _SHOWN:
        print(f"  ... and {len(found) - _SHOWN} more")
    print("  every promise held" if not found else f"  {len(found)} violations", flush=True)
    return 1 if found else 0


def _figures(evidence: Evidence, done: Counter[str], settled_s: float | None) -> dict[str, object]:
    kinds: Counter[str] = sum((evidence.kinds(request) for request in evidence.requests), Counter())
    thoughts = kinds["runtime.llm.think.completed"]
    statuses = Counter(
        f"{request.status} ({request.reason})" if request.status != "completed" else "completed"
        for request in evidence.requests
    )
    return {
        **{f"mischief: {name}": count for name, count in sorted(done.items())},
        "submissions answered 200": len(evidence.submitted),
        "requests stored": len(evidence.requests),
        **{f"ended: {status}": count for status, count in sorted(statuses.items())},
        "events in the log": sum(len(log) for log in evidence.events.values()),
        "recoveries": kinds["runtime.request.recovered"],
        "delegations": kinds["runtime.subagent.call.completed"],
        "questions to a person / answered": f"{kinds[_ASKED]} / {kinds['runtime.request.interaction.ack']}",
        "resumed after an end": kinds["runtime.request.resumed"],
        "sessions compacted": kinds["runtime.compaction.completed"],
        "model calls asked / in the log": f"{sum(evidence.model_calls.values())} / {thoughts}",
        "tool runs / reported interrupted": f"{_tool_runs(evidence)} / {kinds['runtime.tool.interrupted']}",
        "streams followed / connections": f"{len(evidence.transcripts)} / {_connections(evidence)}",
        "settled after the last mischief": "never" if settled_s is None else f"{settled_s:.1f} s",
    }


def _tool_runs(evidence: Evidence) -> int:
    return sum(line["phase"] == "begun" for line in evidence.ledger)


def _connections(evidence: Evidence) -> int:
    return sum(transcript.connections for transcript in evidence.transcripts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of mischief per stack")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats the same choices")
    parser.add_argument("--stack", choices=[*KINDS, "both"], default="both")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
