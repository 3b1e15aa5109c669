"""A call under way. The thread that waits for its result meanwhile does what the server asks for, such as a person's answer."""

import asyncio
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from agents.llm.types import LLMProvider
from agents.mcp.errors import McpError, McpStopped
from agents.tools.context import ToolContext

Result = TypeVar("Result")
_MOST_QUESTIONS = 8


@dataclass(frozen=True, slots=True)
class _Question:
    work: Callable[[], Any]
    answer: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class RunningCall:
    def __init__(self, context: ToolContext, llm: LLMProvider) -> None:
        self.context, self.llm = context, llm
        self._inbox: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._asked = 0

    async def ask(self, work: Callable[[], Result]) -> Result:
        """Has the waiting thread do the work; called on the loop."""
        self._asked += 1
        if self._asked > _MOST_QUESTIONS:
            raise McpError(f"A call may ask {_MOST_QUESTIONS} times.")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._inbox.put(_Question(work, answer, loop))
        return await answer

    def wait(self, future: "Future[Result]", seconds: float) -> Result:
        """The call's result, within `seconds` besides what questions take; ends at once when the request is stopped."""
        future.add_done_callback(lambda _: self._inbox.put(None))
        left = seconds
        with self.context.stop.calling(lambda: self._inbox.put(None)):
            while not future.done():
                if self.context.stop.is_set():
                    future.cancel()
                    raise McpStopped("Stopped before the server answered; whether it did the work is unknown.")
                began = time.monotonic()
                try:
                    question = self._inbox.get(timeout=max(left, 0))
                except queue.Empty:
                    future.cancel()
                    raise McpError(f"The server did not answer within {seconds:g} seconds.") from None
                left -= time.monotonic() - began
                if question is not None:
                    _serve(question)
        return future.result()


def _serve(question: _Question) -> None:
    try:
        result = question.work()
    except Exception as error:  # told to the server's side of the call, which turns it into a refusal
        question.loop.call_soon_threadsafe(_settle, question.answer, None, error)
    else:
        question.loop.call_soon_threadsafe(_settle, question.answer, result, None)


def _settle(answer: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
