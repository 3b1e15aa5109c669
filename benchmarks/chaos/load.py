"""A stream of requests and runs over HTTP, some of them watched over streams that are cut again and again; some are cancelled
and resumed, some delegate, some wait for the person that answers here."""

import json
import random
import threading
import time
from contextlib import suppress

import httpx

from benchmarks.chaos.client import Submitted, Transcript
from benchmarks.chaos.host import HELPER_IDS
from benchmarks.chaos.stack import Stack

_SENDERS = 4
_PAUSE_S = 0.15
_SUBMIT_WITHIN_S = 90.0
# Of all requests: those of one session run one after the other, so more would only wait.
_SHARED = 0.12
# Beside them, runs of a workflow
_RUNS = 0.15


class Load:
    """Each sender has one session that it shares with nobody, in which order counts, and many used once."""

    def __init__(self, stack: Stack, chance: random.Random) -> None:
        self._stack = stack
        self._chances = [random.Random(chance.random()) for _ in range(_SENDERS)]
        self._by_sender: list[list[Submitted]] = [[] for _ in range(_SENDERS)]
        self._stopping = threading.Event()
        self._senders = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(_SENDERS)]
        self._person = threading.Thread(target=self._answer, args=(random.Random(chance.random()),), daemon=True)
        self._person_leaves = threading.Event()
        self._watchers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._streams_end = float("inf")
        self.transcripts: list[Transcript] = []

    @property
    def submitted(self) -> list[Submitted]:
        """In the order of acceptance within each session."""
        return [submitted for sent in self._by_sender for submitted in sent]

    def start(self) -> None:
        for thread in (*self._senders, self._person):
            thread.start()

    def finish(self, within_s: float) -> None:
        """Sends nothing new; what is being sent still gets its answer."""
        self._stopping.set()
        for sender in self._senders:
            sender.join(within_s)

    def abandon(self) -> None:
        """When the mischief itself has failed: whoever sends or follows gives up."""
        self._stopping.set()
        self._person_leaves.set()
        self._streams_end = 0

    def end_streams(self, within_s: float) -> None:
        """Gives the streams time to deliver what is there; nobody asks a person any more."""
        self._person_leaves.set()
        self._streams_end = time.monotonic() + within_s
        for watcher in self._watchers:
            watcher.join(within_s)

    def _send(self, sender: int) -> None:
        chance, count = self._chances[sender], 0
        while not self._stopping.is_set():
            key = f"s{sender}-{count}"
            if chance.random() < _RUNS:
                self._start_run(sender, f"w{sender}-{count}", random.Random(chance.random()))
            session_id = f"shared-{sender}" if chance.random() < _SHARED else key
            submitted = self._stack.client.submit(key, _words(chance, key), session_id, within_s=_SUBMIT_WITHIN_S)
            if submitted is not None:
                self._by_sender[sender].append(submitted)
                if chance.random() < 0.25:
                    self._watch(submitted, random.Random(chance.random()))
                if chance.random() < 0.15:
                    self._disturb(submitted, random.Random(chance.random()))
            count += 1
            self._stopping.wait(_PAUSE_S * chance.random() * 2)

    def _start_run(self, sender: int, key: str, chance: random.Random) -> None:
        """A run of the workflow; now and then it is cancelled, and goes on."""
        started = self._stack.client.run_workflow(key, within_s=_SUBMIT_WITHIN_S)
        if started is None:
            return
        self._by_sender[sender].append(started)
        if chance.random() < 0.3:
            time.sleep(chance.random())
            self._stack.client.steer_run(started.session_id, "cancel")
            time.sleep(chance.random())
            self._stack.client.steer_run(started.session_id, "resume")

    def _watch(self, submitted: Submitted, chance: random.Random) -> None:
        transcript = Transcript(submitted.request_id)
        watcher = threading.Thread(target=self._follow, args=(transcript, chance), daemon=True)
        with self._lock:
            self.transcripts.append(transcript)
            self._watchers.append(watcher)
        watcher.start()

    def _disturb(self, submitted: Submitted, chance: random.Random) -> None:
        """Cancels the request at some moment, and now and then lets it go on."""

        def run() -> None:
            time.sleep(chance.random() * 2)
            self._stack.client.steer(submitted.request_id, "cancel")
            if chance.random() < 0.5:
                time.sleep(chance.random() * 2)
                self._stack.client.steer(submitted.request_id, "resume")

        disturber = threading.Thread(target=run, daemon=True)
        with self._lock:
            self._watchers.append(disturber)
        disturber.start()

    def _answer(self, chance: random.Random) -> None:
        while not self._person_leaves.wait(0.2):
            for interaction in self._stack.client.open_interactions():
                self._stack.client.answer(interaction, chance.choice(["approve", "approve", "deny"]))

    def _follow(self, transcript: Transcript, chance: random.Random) -> None:
        while not transcript.is_complete and time.monotonic() < self._streams_end:
            with suppress(httpx.HTTPError):
                self._stack.client.follow(transcript, cut_after=chance.choice([1, 2, 5, 13, None]))
            if not transcript.is_complete:
                time.sleep(0.1)


def _words(chance: random.Random, key: str) -> str:
    """Up to three tool rounds, delegations or approvals; model calls and tools that take long enough to be hit."""
    latency = f"latency={chance.random():.2f}"
    match chance.random():
        case share if share < 0.2:
            prompts = [f"key={key}-c{number} {_work(chance)}" for number in range(chance.randrange(1, 3))]
            calls = [{"agent_id": chance.choice(HELPER_IDS), "prompt": prompt} for prompt in prompts]
            return f"tools=1 calls={len(calls)} tool=InvokeSubagent {latency} args={json.dumps(calls)}"
        case share if share < 0.35:
            return f"tools=1 calls={chance.randrange(1, 3)} tool=sign_off {latency}"
        case share if share < 0.6:
            return f'{_work(chance)} trickle=0.1 say="what is said is heard while it is being said"'
    return f"{_work(chance)} {latency}"


def _work(chance: random.Random) -> str:
    tool = chance.choice(["pay_once", "write_again"])
    seconds = round(chance.choice([0.0, 0.1, 0.5]), 1)
    rounds, calls = chance.randrange(4), chance.randrange(1, 3)
    return f'tools={rounds} calls={calls} tool={tool} args={{"seconds": {seconds}}}'
