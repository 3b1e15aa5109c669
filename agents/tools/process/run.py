"""Runs a command to its end, or to the end that it is given; its output is read as it comes and never piles up."""

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.stop_signal import StopSignal
from agents.tools.process.command import Command, Ending

logger = logging.getLogger(__name__)

_KEEPER = str(Path(__file__).with_name("keeper.py"))
_CHUNK_BYTES = 64 * 1024
_KILL_WITHIN_S = 0.6
"""The keeper's time to kill everything, before it is killed itself."""


def run(command: Command, *, take: Callable[[bytes], bool], stop: StopSignal, timeout_s: float) -> Ending:
    """Runs the command; `take` gets its output and says whether it wants more. Linux only.

    At a stop, a time-out or too much output the command is killed with everything that it has started.
    """
    # Sockets and not bare descriptors: a late call back must not write into what has taken a closed one's number.
    wake, waker = socket.socketpair()
    with wake, waker:
        keeper = _start_keeper(command)
        try:
            with stop.calling(lambda: _wake(waker)):
                ending = _Watch(keeper, take).until_it_ends(stop, wake.fileno(), timeout_s)
        finally:
            _end(keeper)
    if ending.left_behind:
        logger.error("Not everything that a command had started could be killed", extra={"action": "command.left"})
    return ending


def _start_keeper(command: Command) -> "subprocess.Popen[bytes]":
    # -I and -S: nothing of the deployment's own is imported, which also makes it start fast.
    keeper = subprocess.Popen(  # noqa: S603  our own script
        [sys.executable, "-I", "-S", _KEEPER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={},
        start_new_session=True,
    )
    assert keeper.stdin is not None  # noqa: S101  piped
    config: dict[str, Any] = {**asdict(command), "stdin": command.stdin.hex(), "directory": str(command.directory)}
    config["environment"] = dict(command.environment)
    if command.walls:
        config["walls"]["hidden"] = [str(path) for path in command.walls.hidden]
    with contextlib.suppress(BrokenPipeError):
        # Its death is told by its silence.
        keeper.stdin.write(json.dumps(config).encode() + b"\n")
        keeper.stdin.flush()
    return keeper


class _Watch:
    """The pipes of one running command."""

    def __init__(self, keeper: "subprocess.Popen[bytes]", take: Callable[[bytes], bool]) -> None:
        assert keeper.stdout is not None  # noqa: S101  piped
        assert keeper.stderr is not None  # noqa: S101  piped
        self._keeper, self._take = keeper, take
        self._output, self._report = keeper.stdout.fileno(), keeper.stderr.fileno()
        self._told = b""

    def until_it_ends(self, stop: StopSignal, wake: int, timeout_s: float) -> Ending:
        assert self._keeper.stdin is not None  # noqa: S101  piped
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._report, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            killed_for = self._follow(selector, stop, time.monotonic() + timeout_s)
            selector.unregister(wake)
            if killed_for:
                with contextlib.suppress(BrokenPipeError):
                    self._keeper.stdin.close()
                self._take = _nothing_more
                self._follow(selector, StopSignal(), time.monotonic() + _KILL_WITHIN_S)
        return self._ending(killed_for)

    def _follow(self, selector: selectors.BaseSelector, stop: StopSignal, deadline: float) -> str:
        """Reads until both pipes have closed; or says why it should go on no longer."""
        while {self._output, self._report} & selector.get_map().keys():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if stop.is_set():
                return stop.reason
            if time.monotonic() >= deadline:
                return "timeout"
            for key, _ in ready:
                if not self._read(key.fd, selector):
                    return "output"
        return ""

    def _read(self, descriptor: int, selector: selectors.BaseSelector) -> bool:
        """False when the taker has had enough."""
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if not chunk:
            selector.unregister(descriptor)
        elif descriptor == self._report:
            self._told += chunk
        else:
            return self._take(chunk)
        return True

    def _ending(self, killed_for: str) -> Ending:
        try:
            told = json.loads(self._told)
        except ValueError:
            # A keeper that says nothing was killed itself; whom it kept is then unknown.
            return Ending(killed_for=killed_for, failure="" if killed_for else "its keeper was killed", left_behind=1)
        return Ending(
            exit_code=None if killed_for else told.get("exit_code"),
            killed_for=killed_for,
            failure=told.get("failure", ""),
            left_behind=told.get("left_behind", 0),
        )


def _end(keeper: "subprocess.Popen[bytes]") -> None:
    for pipe in (keeper.stdin, keeper.stdout, keeper.stderr):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    try:
        keeper.wait(_KILL_WITHIN_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()


def _wake(waker: socket.socket) -> None:
    with contextlib.suppress(OSError):
        waker.send(b"!")


def _nothing_more(_chunk: bytes) -> bool:
    return True
