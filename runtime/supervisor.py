"""Keeps a few processes running: starts them, restarts what dies, and stops all of them in good order."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from runtime.parent import follow_parent

logger = logging.getLogger(__name__)

_TICK_S = 0.2
_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 15.0
_STEADY_AFTER_S = 30.0


@dataclass(slots=True)
class _Child:
    name: str
    command: Sequence[str]
    inherits: tuple[int, ...] = ()
    """Descriptors that stay open in it."""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    delay_s: float = _FIRST_DELAY_S
    start_again_at: float = field(default=0.0)


class Supervisor:
    """Runs the commands until SIGTERM or SIGINT; a dead one is restarted, slower each time while it keeps dying."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        stop_within_s: float,
        inherited: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._children = [
            _Child(name, command, inherits=(inherited[name],) if name in inherited else ())
            for name, command in commands.items()
        ]
        self._stop_within_s = stop_within_s
        self._stopping = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        while not self._stopping:
            for child in self._children:
                self._keep(child)
            time.sleep(_TICK_S)
        return self._stop_all()

    def _ask_to_stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def _keep(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_again_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        child.process = None
        child.delay_s = _FIRST_DELAY_S if now - child.started_at > _STEADY_AFTER_S else child.delay_s * 2
        child.delay_s = min(child.delay_s, _LONGEST_DELAY_S)
        child.start_again_at = now + child.delay_s
        logger.error("%s ended with %s; starting it again in %.1f s", child.name, code, child.delay_s)

    def _start(self, child: _Child) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then stops each in order.
        child.process = subprocess.Popen(  # noqa: S603  our own commands
            child.command,
            start_new_session=True,
            pass_fds=child.inherits,
            preexec_fn=partial(follow_parent, os.getpid()),
        )
        child.started_at = time.monotonic()

    def _stop_all(self) -> int:
        """Asks all to stop, waits, and kills what will not. 0 when everything ended by itself."""
        running = [child for child in self._children if child.process is not None]
        for child in running:
            self._signal(child, signal.SIGTERM)
        deadline = time.monotonic() + self._stop_within_s
        while time.monotonic() < deadline and any(self._is_alive(child) for child in running):
            time.sleep(_TICK_S / 4)
        late = [child for child in running if self._is_alive(child)]
        for child in late:
            logger.error("%s did not stop within %.0f s; killing it", child.name, self._stop_within_s)
            self._signal(child, signal.SIGKILL)
        return 1 if late else 0

    def _is_alive(self, child: _Child) -> bool:
        return child.process is not None and child.process.poll() is None

    def _signal(self, child: _Child, number: int) -> None:
        if self._is_alive(child) and child.process is not None:
            child.process.send_signal(number)
