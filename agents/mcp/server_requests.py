"""What a server may ask of us during a call: of the agent's model, of a person. Off unless the server's row allows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import mcp_types
from mcp.client.session import ClientRequestContext

from agents.llm.errors import LLMError
from agents.mcp.config import MCPServerConfig
from agents.mcp.elicitation import elicit
from agents.mcp.errors import McpError
from agents.mcp.running_call import RunningCall
from agents.mcp.sampling import sample
from agents.mcp.told import Told

_running: ContextVar[RunningCall | None] = ContextVar("running_call", default=None)


class ServerRequests:
    """Finds the call that a question belongs to; a question that belongs to none is refused."""

    def __init__(self, config: MCPServerConfig) -> None:
        self._config = config
        self._calls: set[RunningCall] = set()

    @contextmanager
    def during(self, call: RunningCall) -> Iterator[None]:
        """The SDK carries the context of a request to whatever the server asks on the stream of its answer."""
        token = _running.set(call)
        self._calls.add(call)
        try:
            yield
        finally:
            self._calls.discard(call)
            _running.reset(token)

    async def sample(
        self, context: ClientRequestContext, params: mcp_types.CreateMessageRequestParams
    ) -> mcp_types.CreateMessageResult | mcp_types.ErrorData:
        call = self._call()
        if call is None:
            return _refused("There is no call that this belongs to.")
        about, llm = call.context, call.llm
        try:
            result, usage = await call.ask(lambda: sample(llm, params, stop=about.stop, app_id=about.agent_id))
        except (McpError, LLMError) as error:
            return _refused(str(error))
        if usage is not None:
            Told(about.emit, self._config).sampled(llm, usage)
        return result

    async def elicit(
        self, context: ClientRequestContext, params: mcp_types.ElicitRequestParams
    ) -> mcp_types.ElicitResult | mcp_types.ErrorData:
        call = self._call()
        if call is None:
            return _refused("There is no call that this belongs to.")
        if not isinstance(params, mcp_types.ElicitRequestFormParams):
            return mcp_types.ElicitResult(action="decline")
        ask, name = call.context.ask, self._config.name
        try:
            return await call.ask(lambda: elicit(ask, name, params))
        except McpError as error:
            return _refused(str(error))

    def _call(self) -> RunningCall | None:
        current = _running.get()
        if current in self._calls:
            return current
        # Over pipes and on the stream of notifications nothing says which call is meant, unless there is only one.
        return next(iter(self._calls)) if len(self._calls) == 1 else None


def _refused(message: str) -> mcp_types.ErrorData:
    return mcp_types.ErrorData(code=mcp_types.INVALID_REQUEST, message=message)
