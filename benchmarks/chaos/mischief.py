"""Kills, stops and suspends parts of a deployment at random, and brings back what a supervisor would."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from benchmarks.chaos.processes import Process
from benchmarks.chaos.stack import Stack


class Mischief:
    def __init__(self, stack: Stack, chance: random.Random) -> None:
        self._stack = stack
        self._chance = chance
        self.done: Counter[str] = Counter()
        self._kinds: list[tuple[str, Callable[[], None]]] = [
            ("kill -9 of one process of a crew", self._kill_one),
            ("kill -9 of one process of a crew", self._kill_one),
            ("kill -9 of a whole cluster", self._kill_cluster),
            ("kill -9 of a cluster's parent", self._kill_parent),
            ("kill -9 of a sentinel", self._kill_sentinel),
            ("kill -9 of web", self._kill_web),
            ("SIGTERM of a cluster", self._stop_cluster),
            ("one process suspended for 2 s", self._suspend),
        ]
        if stack.postgres and stack.redis:
            self._kinds += [
                ("database connections dropped", self._drop_connections),
                ("kill -9 of the database server", self._kill_database),
                ("kill -9 of Redis", self._kill_redis),
            ]

    def run(self, seconds: float) -> None:
        """One piece of mischief after another until the time is up; every kind gets its turn."""
        deadline = time.monotonic() + seconds
        pending: list[tuple[str, Callable[[], None]]] = []
        while time.monotonic() < deadline:
            if not pending:
                pending = self._chance.sample(self._kinds, len(self._kinds))
            time.sleep(0.5 + self._chance.random() * 2)
            name, do = pending.pop()
            print(f"  {seconds - (deadline - time.monotonic()):5.1f} s  {name}", flush=True)
            do()
            self.done[name] += 1

    def _cluster(self) -> Process:
        return self._chance.choice(self._stack.clusters)

    def _pause(self, at_most_s: float) -> None:
        time.sleep(self._chance.random() * at_most_s)

    def _kill_one(self) -> None:
        cluster = self._cluster()
        if crew := cluster.crew():
            cluster.signal_member(self._chance.choice(crew).pid, signal.SIGKILL)

    def _kill_cluster(self) -> None:
        cluster = self._cluster()
        cluster.kill_all()
        self._pause(2)
        cluster.start()

    def _kill_parent(self) -> None:
        cluster = self._cluster()
        cluster.kill()
        cluster.start()

    def _kill_sentinel(self) -> None:
        cluster = self._cluster()
        self._stack.wait_for_crew(cluster)
        cluster.kill_sentinel()
        cluster.wait(15)
        cluster.start()

    def _kill_web(self) -> None:
        self._stack.web.kill()
        self._pause(1)
        self._stack.web.start()

    def _stop_cluster(self) -> None:
        cluster = self._cluster()
        cluster.stop(within_s=20)
        cluster.start()

    def _suspend(self) -> None:
        cluster = self._cluster()
        if crew := cluster.crew():
            pid = self._chance.choice(crew).pid
            cluster.signal_member(pid, signal.SIGSTOP)
            time.sleep(2)
            cluster.signal_member(pid, signal.SIGCONT)

    def _drop_connections(self) -> None:
        assert self._stack.postgres is not None
        self._stack.postgres.drop_connections()

    def _kill_database(self) -> None:
        assert self._stack.postgres is not None
        self._stack.postgres.kill()
        self._pause(2)
        self._stack.postgres.start()

    def _kill_redis(self) -> None:
        assert self._stack.redis is not None
        self._stack.redis.kill()
        self._pause(3)
        self._stack.redis.start()
