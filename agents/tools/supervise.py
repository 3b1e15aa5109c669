"""Runs a tool beside its caller, and ends it when its time is over or the request stops.

It is asked first, by its context's stop signal, then an `async` tool is cancelled and a plain one interrupted. The caller
has its answer within a second in any case; a tool that goes on nevertheless is counted among the leftovers.
"""

import asyncio
import contextvars
import ctypes
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace

from agents.stop_signal import StopSignal
from agents.tools import event_loop, leftovers
from agents.tools.base import ToolResult
from agents.tools.context import ToolContext
from agents.tools.outcome import bounded

logger = logging.getLogger(__name__)

_ASKED_S = 0.35
"""How long a tool may take to end by itself, once asked."""
_FORCED_S = 0.25
"""How long it may take once it is interrupted or cancelled."""
Execute = Callable[[ToolContext], "ToolResult | Awaitable[ToolResult]"]

_thread_endings: list[Callable[[], None]] = []


class ToolInterrupted(SystemExit):
    """Raised within a plain tool that must end. No ordinary `except` catches it, and a thread ends by it in silence."""


def at_the_end_of_threads(clean_up: Callable[[], None]) -> None:
    """Called in each thread that a tool has used, such as to close what the thread had opened."""
    _thread_endings.append(clean_up)


def supervise(execute: Execute, *, name: str, timeout_s: float, context: ToolContext) -> ToolResult:
    """What the tool answers, or an error that says why it did not come to that."""
    if context.stop.is_set():
        return _stopped(name, context.stop.reason)
    stop = StopSignal()
    call = _Call(execute, name, replace(context, stop=stop))
    with context.stop.calling(lambda: stop.set(context.stop.reason)), stop.calling(call.settled.set):
        call.start()
        call.settled.wait(timeout_s)
        if call.result is None:
            stop.set("timeout")
            call.end()
    if call.result is not None:
        return call.result
    if stop.reason == "timeout":
        return ToolResult.error(f"{name} did not finish within {timeout_s:g} seconds.")
    return _stopped(name, stop.reason)


def _stopped(name: str, reason: str) -> ToolResult:
    return ToolResult.error(f"{name} was stopped: {reason}.")


class _Call:
    """One call in a thread of its own, so that one that hangs cannot take the request with it."""

    def __init__(self, execute: Execute, name: str, context: ToolContext) -> None:
        self.result: ToolResult | None = None
        self.settled = threading.Event()
        """Set when there is a result, or when the call is to end."""
        self._execute, self._name, self._context = execute, name, context
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._interruptible = True
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[ToolResult] | None = None
        self._leftover: int | None = None
        variables = contextvars.copy_context()
        self._thread = threading.Thread(target=variables.run, args=(self._run,), name=f"tool-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Asks, then forces; gives up after less than a second."""
        with self._lock:
            loop, task = self._loop, self._task
        if loop is not None and task is not None:
            loop.call_soon_threadsafe(task.cancel)
        if self._ended.wait(_ASKED_S):
            return
        if loop is not None:
            event_loop.replace_if_blocked(loop)
        else:
            self._interrupt()
        if not self._ended.wait(_FORCED_S):
            self._count_as_leftover()

    def _run(self) -> None:
        outcome: ToolResult | Awaitable[ToolResult] | None
        try:
            outcome = self._execute(self._context)
        except ToolInterrupted:
            outcome = None
        except BaseException as error:  # a tool is foreign code: whatever it raises is told to the model
            outcome = self._failure(error)
        try:
            self._forbid_interrupts()
        except ToolInterrupted:
            self._forbid_interrupts()
        for clean_up in _thread_endings:
            clean_up()
        if isinstance(outcome, Awaitable):
            self._hand_to_loop(outcome)
        else:
            self._finish(None if outcome is None and self._context.cancelled() else bounded(outcome, self._name))

    def _forbid_interrupts(self) -> None:
        with self._lock:
            self._interruptible = False
        # One that is on its way would strike what follows.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(threading.get_ident()), None)

    def _hand_to_loop(self, outcome: Awaitable[ToolResult]) -> None:
        loop = event_loop.current()
        with self._lock:
            self._loop = loop
        loop.call_soon_threadsafe(self._start_task, loop, outcome, context=contextvars.copy_context())

    def _start_task(self, loop: asyncio.AbstractEventLoop, outcome: Awaitable[ToolResult]) -> None:
        task = loop.create_task(_awaited(outcome), name=self._name)
        with self._lock:
            self._task = task
        task.add_done_callback(lambda done: self._finish_task(done, outcome))
        if self._context.cancelled():
            task.cancel()

    def _finish_task(self, task: "asyncio.Task[ToolResult]", outcome: Awaitable[ToolResult]) -> None:
        if task.cancelled():
            if isinstance(outcome, Coroutine):
                # One that never began would complain.
                outcome.close()
            self._finish(None if self._context.cancelled() else ToolResult.error("CancelledError"))
        elif (error := task.exception()) is not None:
            self._finish(self._failure(error))
        else:
            self._finish(bounded(task.result(), self._name))

    def _failure(self, error: BaseException) -> ToolResult:
        logger.info("Tool %s failed", self._name, exc_info=error, extra={"action": "tool.failed"})
        return ToolResult.error(f"{type(error).__name__}: {error}")

    def _finish(self, result: ToolResult | None) -> None:
        with self._lock:
            leftover = self._leftover
            if leftover is None:
                self.result = result
            self._ended.set()
        self.settled.set()
        if leftover is not None:
            leftovers.remove(leftover)

    def _interrupt(self) -> None:
        """Raises in the tool's thread, as soon as that runs Python again."""
        with self._lock:
            if self._interruptible and self._thread.ident is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread.ident), ctypes.py_object(ToolInterrupted)
                )

    def _count_as_leftover(self) -> None:
        with self._lock:
            if not self._ended.is_set():
                self._leftover = leftovers.add(self._name)


async def _awaited(outcome: Awaitable[ToolResult]) -> ToolResult:
    return await outcome
