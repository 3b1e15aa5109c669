"""Every URL, of Django's resolver and of the ASGI router, asked by strangers (promise 6).

A route whose arguments or body have no example here fails, so that a new endpoint cannot slip by. The admin's pages have a
walk of their own in `tests/admin`, so have people's pages in `tests/pages`, and the WebSocket and H2A in `tests/runtime`.
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.views import APIView

from mashsite.asgi import stream_patterns
from tests.factories import AgentFactory, AgentRequestFactory, AttachmentFactory, SessionFactory, TurnFactory
from tests.samples import PNG, text_of
from tests.web import Web
from tests.workflows.conftest import run_in
from workflows.evals.datasets import add_lines, make_dataset
from workflows.evals.experiments import Plan, start_experiment
from workflows.schedules.change import make_schedule
from workflows.webhooks.change import make_endpoint, send_test
from workspaces.models import Workspace
from workspaces.roles import Scope
from workspaces.tokens import issue_token

PUBLIC = {"", "healthz", "readyz", "openapi.json", "docs", "favicon.ico", "hooks/<str:signed>"}
WALKED_ELSEWHERE = ("admin/", "h2a/", "w/", "account/", "assets/", "telemetry")
_AGENT = "api/v1/agent/<str:agent_id>"
_RUN = "api/v1/workflows/<str:workflow_id>/runs/<str:run_id>"
BODIES: dict[str, dict[str, object]] = {
    "api/v1/telemetry/api/events/search": {},
    "api/v1/attachments": {"name": "dot.png", "data": text_of(PNG)},
    f"{_AGENT}/sessions/<path:session_id>/compact": {},
    f"{_AGENT}/sessions/<path:session_id>/fork": {},
    "api/v1/workflows/<str:workflow_id>/run": {},
    f"{_RUN}/cancel": {},
    f"{_RUN}/resume": {},
    f"{_RUN}/rerun": {},
    f"{_RUN}/signal": {"name": "go"},
    "api/v1/workflows/<str:workflow_id>/schedules": {"name": "daily", "cron": "0 9 * * *"},
    "api/v1/workflows/<str:workflow_id>/inbound-hooks": {"name": "push"},
    "api/v1/schedules/<int:schedule_id>": {"is_paused": True},
    "api/v1/schedules/<int:schedule_id>/run": {},
    "api/v1/inbound-hooks/<int:hook_id>": {"is_enabled": False},
    "api/v1/datasets": {"name": "orders"},
    "api/v1/datasets/<int:dataset_id>/rows": {"rows": [{"message": "hello"}]},
    "api/v1/datasets/<int:dataset_id>/experiments": {"name": "first", "agent_id": "nobody"},
    "api/v1/webhooks": {"name": "receiver", "url": "https://receiver.example/"},
    "api/v1/webhooks/<int:webhook_id>": {"is_enabled": False},
    "api/v1/webhooks/<int:webhook_id>/test": {},
    "api/v1/webhooks/<int:webhook_id>/deliveries/<str:message_id>/redeliver": {},
    f"{_AGENT}/request": {"message": "hello", "session_id": "secret-session"},
    f"{_AGENT}/request/<uuid:request_id>/interaction": {"interaction_id": "itr_0123456789ab", "response": "approve"},
    **{
        f"{_AGENT}/{subject}/{verb}": {}
        for subject in ("request/<uuid:request_id>", "trace/<uuid:trace_id>")
        for verb in ("cancel", "resume", "rerun")
    },
}
# What routes take in their query: the other workspace's ids, so they answer as if these were in the path.
QUERIES = {
    "api/v1/telemetry/events": "agent_id={agent_id}",
    "api/v1/telemetry/events/stream": "agent_id={agent_id}",
    "api/v1/telemetry/memory/search": "app_id={agent_id}&q=@user:hello",
    "api/v1/telemetry/traces": "agent_id={agent_id}",
    "api/v1/telemetry/trace": "agent_id={agent_id}&session_id={session_id}&trace_id={request_id}",
    "api/v1/telemetry/reasoning-trace": "agent_id={agent_id}&session_id={session_id}&trace_id={request_id}",
}
# Nothing in their address is anybody's, and they never end: `tests/telemetry` asks them as strangers.
ENDLESS = {"api/v1/telemetry/api/events/stream"}


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: str

    def filled(self, arguments: dict[str, str]) -> str:
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: arguments[found[1]], self.pattern)
        query = QUERIES.get(self.pattern, "").format(**arguments)
        return f"/{path}?{query}" if query else f"/{path}"

    @property
    def names_ids(self) -> bool:
        return "<" in self.pattern or self.pattern in QUERIES

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith("api/")


def routes() -> list[Route]:
    """Every route with every method that it answers."""
    streams = [Route("GET", str(pattern.pattern)) for pattern in stream_patterns]
    django_routes = [route for pattern, view in _views(get_resolver(), "") for route in _methods(pattern, view)]
    return [route for route in streams + django_routes if not route.pattern.startswith(WALKED_ELSEWHERE)]


def _views(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, object]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _views(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry.callback


def _methods(pattern: str, view: object) -> list[Route]:
    view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if view_class is None:
        return [Route("GET", pattern)]
    names = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return [Route(name, pattern) for name in names if hasattr(view_class, name.lower())]


def ask(web: Web, route: Route, arguments: dict[str, str]) -> tuple[int, str]:
    path = route.filled(arguments)
    if route.method in {"POST", "PUT", "PATCH"}:
        body = json.dumps(BODIES[route.pattern]).encode()
        answer = web.call(route.method, path, body=body, headers={"Content-Type": "application/json"})
    else:
        answer = web.call(route.method, path)
    return answer.status, answer.body.decode()


@pytest.fixture
def secrets(other_workspace: Workspace) -> dict[str, str]:
    """What the other workspace has, by the names that routes give their arguments."""
    agent = AgentFactory.create(workspace=other_workspace, agent_id="secret-agent")
    session = SessionFactory.create(workspace=other_workspace, agent_id="secret-agent", session_id="secret-session")
    TurnFactory.create(workspace=other_workspace, session=session)
    agent_request = AgentRequestFactory.create(
        workspace=other_workspace, agent=agent, session_id="secret-session", trace_id=uuid.uuid4()
    )
    run = run_in(other_workspace)
    schedule = make_schedule(run.workflow, {"name": "secret", "cron": "0 9 * * *"}, by="tests")
    hook = other_workspace.inbound_hooks.create(workflow=run.workflow, name="secret", created_at=timezone.now())
    dataset = make_dataset(other_workspace, "secret", by="tests")
    add_lines(dataset, '{"message": "secret"}')
    assert agent.current_version
    wanted = Plan(name="secret", agent_version=agent.current_version, checks=[{"kind": "exact"}])
    experiment = start_experiment(dataset, wanted, by="tests")
    endpoint = make_endpoint(other_workspace, {"name": "secret", "url": "https://secret.example/"}, by="tests")
    return {
        "workflow_id": run.workflow.workflow_id,
        "run_id": run.run_id,
        "dataset_id": str(experiment.dataset.pk),
        "experiment_id": str(experiment.pk),
        "schedule_id": str(schedule.pk),
        "hook_id": str(hook.pk),
        "webhook_id": str(endpoint.pk),
        "message_id": send_test(endpoint).message_id,
        "agent_id": agent.agent_id,
        "session_id": session.session_id,
        "request_id": str(agent_request.request_id),
        "attachment_id": str(AttachmentFactory.create(workspace=other_workspace).attachment_id),
        "trace_id": str(agent_request.trace_id),
    }


def test_another_workspaces_ids_are_not_found(web: Web, stranger_web: Web, secrets: dict[str, str]) -> None:
    faults = []
    for route in [route for route in routes() if route.is_api and route.pattern not in ENDLESS]:
        status, body = ask(web, route, secrets)
        if route.names_ids and (status != 404 or '"error"' not in body):
            faults.append(f"{route}: {status}")
        if not route.names_ids and (status != 200 or "secret-agent" in body):
            faults.append(f"{route}: {status} {body}")
    assert not faults
    owned = ask(stranger_web, Route("GET", "api/v1/agent/<str:agent_id>"), secrets)
    assert owned[0] == 200, "The ids are real: whoever owns them finds them."


@pytest.mark.appendix_a("A21")
def test_nothing_of_the_api_answers_without_a_token(transactional_db: None, secrets: dict[str, str]) -> None:
    for route in [route for route in routes() if route.is_api]:
        status, body = ask(Web(), route, secrets)
        assert (status, '"code":"UNAUTHORIZED"' in body) == (401, True), (route, status, body)


def test_a_token_without_scopes_may_do_nothing(
    transactional_db: None, workspace: Workspace, secrets: dict[str, str]
) -> None:
    web = Web(issue_token(workspace, name="powerless", actor="tests", scopes=[])[1])
    for route in [route for route in routes() if route.is_api]:
        status, body = ask(web, route, secrets)
        assert (status, '"code":"FORBIDDEN"' in body) == (403, True), (route, status, body)


def test_every_api_view_names_a_scope_for_every_method() -> None:
    for pattern, view in _views(get_resolver(), ""):
        if pattern.startswith("api/"):
            view_class = view.cls  # type: ignore[attr-defined]  # DRF's views carry their class
            assert issubclass(view_class, APIView), pattern
            methods = {route.method for route in _methods(pattern, view)}
            assert methods <= set(view_class.required_scopes), pattern
            assert set(view_class.required_scopes.values()) <= set(Scope), pattern


def test_what_needs_no_token_is_a_short_list() -> None:
    assert {route.pattern for route in routes() if not route.is_api} == PUBLIC
