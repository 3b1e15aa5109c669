"""Traces: the newest ones, and one as figures or as its steps (contract 0.11, 2.2.13, 3.8, 3.9)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from runtime.api.observability import ObservabilityView
from runtime.api.responses import enveloped
from runtime.traces.projection import build_runtime_trace
from runtime.traces.reasoning import build_reasoning_trace
from runtime.traces.serialise import SOURCE, recent_traces, trace_events
from telemetry.api.lookup import agent_of, optional, trace_filter
from telemetry.api.parameters import AGENT_ID, LIMIT, SESSION_ID, one_trace
from telemetry.api.responses import ReasoningTraceShape, RuntimeTraceShape, TraceList
from workspaces.api.authentication import principal_of
from workspaces.api.envelope import data
from workspaces.api.pagination import whole_number
from workspaces.roles import Scope

DEFAULT_TRACES = 5
MAX_TRACES = 100


class TraceListView(ObservabilityView):
    required_scopes = {"GET": Scope.TELEMETRY_READ}

    @extend_schema(operation_id="list_traces", parameters=[AGENT_ID, SESSION_ID, LIMIT], responses=enveloped(TraceList))
    def get(self, request: Request) -> Response:
        """List the traces of an agent's newest requests, newest event first; `limit` 5 by default, up to 100."""
        agent, session_id = agent_of(request), optional(request, "session_id")
        limit = max(1, min(whole_number(request, "limit", default=DEFAULT_TRACES), MAX_TRACES))
        traces = recent_traces(principal_of(request).workspace, agent, session_id=session_id, limit=limit)
        about = {"source": SOURCE, "agent_id": agent.agent_id, "session_id": session_id, "limit": limit}
        return data({"traces": traces, **about})


class TraceView(ObservabilityView):
    required_scopes = {"GET": Scope.TELEMETRY_READ}

    @extend_schema(operation_id="get_trace", parameters=one_trace(), responses=enveloped(RuntimeTraceShape))
    def get(self, request: Request) -> Response:
        """Sum a trace up: status, times, messages, tools, tokens and failures. An unknown trace is one in progress."""
        which = trace_filter(request)
        trace = build_runtime_trace(trace_events(principal_of(request).workspace, which))
        return data(
            {
                "source": SOURCE,
                **trace,
                "agent_id": which.agent_id,
                "session_id": which.session_id,
                "trace_id": which.trace_id,
            }
        )


class ReasoningTraceView(ObservabilityView):
    required_scopes = {"GET": Scope.TELEMETRY_READ}

    @extend_schema(operation_id="get_reasoning_trace", parameters=one_trace(), responses=enveloped(ReasoningTraceShape))
    def get(self, request: Request) -> Response:
        """Tell a trace step by step. An unknown trace is one in progress without steps."""
        which = trace_filter(request)
        trace = build_reasoning_trace(trace_events(principal_of(request).workspace, which))
        about = {"agent_id": which.agent_id, "session_id": which.session_id, "trace_id": which.trace_id}
        return data({"source": SOURCE, **about, **trace})
