"""A stream of requests over HTTP, some of them watched over streams that are cut again and again."""

import random
import threading
import time
from contextlib import suppress

import httpx

from benchmarks.chaos.client import Submitted, Transcript
from benchmarks.chaos.stack import Stack

_SENDERS = 4
_PAUSE_S = 0.15
_SUBMIT_WITHIN_S = 90.0


class Load:
    """Each sender has one session that it shares with nobody, in which order counts, and many used once."""

    def __init__(self, stack: Stack, chance: random.Random) -> None:
        self._stack = stack
        self._chances = [random.Random(chance.random()) for _ in range(_SENDERS)]
        self._by_sender: list[list[Submitted]] = [[] for _ in range(_SENDERS)]
        self._stopping = threading.Event()
        self._senders = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(_SENDERS)]
        self._watchers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._streams_end = float("inf")
        self.transcripts: list[Transcript] = []

    @property
    def submitted(self) -> list[Submitted]:
        """In the order of acceptance within each session."""
        return [submitted for sent in self._by_sender for submitted in sent]

    def start(self) -> None:
        for sender in self._senders:
            sender.start()

    def finish(self, within_s: float) -> None:
        """Sends nothing new; what is being sent still gets its answer."""
        self._stopping.set()
        for sender in self._senders:
            sender.join(within_s)

    def abandon(self) -> None:
        """When the mischief itself has failed: whoever sends or follows gives up."""
        self._stopping.set()
        self._streams_end = 0

    def end_streams(self, within_s: float) -> None:
        """Gives the streams time to deliver what is there."""
        self._streams_end = time.monotonic() + within_s
        for watcher in self._watchers:
            watcher.join(within_s)

    def _send(self, sender: int) -> None:
        chance, count = self._chances[sender], 0
        while not self._stopping.is_set():
            key = f"s{sender}-{count}"
            session_id = f"shared-{sender}" if chance.random() < 0.3 else key
            submitted = self._stack.client.submit(key, _words(chance), session_id, within_s=_SUBMIT_WITHIN_S)
            if submitted is not None:
                self._by_sender[sender].append(submitted)
                if chance.random() < 0.25:
                    self._watch(submitted, random.Random(chance.random()))
            count += 1
            self._stopping.wait(_PAUSE_S * chance.random() * 2)

    def _watch(self, submitted: Submitted, chance: random.Random) -> None:
        transcript = Transcript(submitted.request_id)
        watcher = threading.Thread(target=self._follow, args=(transcript, chance), daemon=True)
        with self._lock:
            self.transcripts.append(transcript)
            self._watchers.append(watcher)
        watcher.start()

    def _follow(self, transcript: Transcript, chance: random.Random) -> None:
        while not transcript.is_complete and time.monotonic() < self._streams_end:
            with suppress(httpx.HTTPError):
                self._stack.client.follow(transcript, cut_after=chance.choice([1, 2, 5, 13, None]))
            if not transcript.is_complete:
                time.sleep(0.1)


def _words(chance: random.Random) -> str:
    """Up to three tool rounds; model calls and tools that take long enough to be hit."""
    tool = chance.choice(["pay_once", "write_again"])
    seconds = round(chance.choice([0.0, 0.1, 0.5]), 1)
    return f'tools={chance.randrange(4)} tool={tool} latency={chance.random():.2f} args={{"seconds": {seconds}}}'
