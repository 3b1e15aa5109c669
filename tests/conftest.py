"""What every test stands on: two workspaces, their callers, a scripted agent, and the runtime driven in-process."""

import threading
import uuid
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from agents.memory.history import NewTurn, save_turn
from agents.models import Agent
from agents.stop_signal import StopSignal
from benchmarks.model_server import ModelServer
from runtime import lease
from runtime.claim import claim
from runtime.execute import execute_request
from runtime.models import AgentRequest
from runtime.recover import find_runnable
from tests.factories import AgentFactory, CredentialFactory, WorkspaceFactory
from tests.network import only_loopback
from tests.tools import TEST_TOOLS
from tests.web import Web
from workspaces.models import Workspace
from workspaces.tokens import issue_token

Driver = Callable[[], list[AgentRequest]]
Stepper = Callable[[AgentRequest], bool]
AgentMaker = Callable[..., Agent]
EventLog = Callable[[AgentRequest], list[str]]
Remember = Callable[..., str]
_MOST_REQUESTS = 200


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of one database's own behaviour are left out on the other: not selected, rather than skipped."""
    foreign = [item for item in items if any(item.iter_markers("postgresql")) and connection.vendor != "postgresql"]
    if foreign:
        config.hook.pytest_deselected(items=foreign)
        items[:] = [item for item in items if item not in foreign]
    if len(connections.databases) > 1:
        for item in items:
            _let_into_every_database(item)


def _let_into_every_database(item: pytest.Item) -> None:
    """With a second database, a test that may use the first may use both."""
    given = item.get_closest_marker("django_db")
    if given or {"db", "transactional_db"} & set(getattr(item, "fixturenames", ())):
        about = {**(given.kwargs if given else {}), "databases": "__all__"}
        item.add_marker(pytest.mark.django_db(**about), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test proves nothing, so it fails."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def _no_foreign_network() -> Iterator[None]:
    with only_loopback():
        yield


@pytest.fixture(scope="session", autouse=True)
def _emptied_beside_late_writers(django_db_setup: None) -> Iterator[None]:
    """What a test leaves running, as the API log's writer, takes its locks in another order than TRUNCATE does."""
    again = Retrying(retry=retry_if_exception_type(OperationalError), stop=stop_after_attempt(5), reraise=True)
    with pytest.MonkeyPatch.context() as patch:
        for each in connections.all():
            patch.setattr(each.ops, "execute_sql_flush", again.wraps(each.ops.execute_sql_flush))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_stray_connections(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A thread that a test has left may keep its connection, and then PostgreSQL does not let go of the test database."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


@pytest.fixture(scope="session")
def model_server() -> Iterator[ModelServer]:
    """The scripted model behind the vendors' wire formats."""
    with ModelServer() as server:
        yield server


@pytest.fixture
def model(model_server: ModelServer) -> ModelServer:
    """The scripted model with an empty memory."""
    model_server.recording.clear()
    return model_server


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory.create()


@pytest.fixture
def other_workspace(db: None) -> Workspace:
    return WorkspaceFactory.create()


@pytest.fixture
def token(workspace: Workspace) -> str:
    return issue_token(workspace, name="tests", actor="tests")[1]


@pytest.fixture
def stranger_token(other_workspace: Workspace) -> str:
    """A token with every right, in the other workspace."""
    return issue_token(other_workspace, name="tests", actor="tests")[1]


@pytest.fixture
def api_client(token: str) -> APIClient:
    """Calls Django in the test's own thread and transaction."""
    return client_with(token)


@pytest.fixture
def stranger_client(stranger_token: str) -> APIClient:
    return client_with(stranger_token)


@pytest.fixture
def web(transactional_db: None, token: str) -> Web:
    """Calls the ASGI application, streams included."""
    return Web(token)


@pytest.fixture
def stranger_web(transactional_db: None, stranger_token: str) -> Web:
    return Web(stranger_token)


@pytest.fixture
def make_agent(workspace: Workspace, model: ModelServer) -> AgentMaker:
    """Makes an agent whose model is scripted and reached through the vendor's SDK; takes `AgentDefinition` fields.

    `row` holds fields of the agent itself.
    """
    credential = CredentialFactory.create(workspace=workspace, kind="anthropic", base_url=model.url)

    def make(*, row: dict[str, Any] | None = None, **definition: object) -> Agent:
        scripted = {
            "provider": "anthropic",
            "model": "claude-haiku-4-5-20251001",
            "credential": credential.name,
            "tools": TEST_TOOLS,
            "model_timeout_s": 1,
        }
        return AgentFactory.create(workspace=workspace, definition={**scripted, **definition}, **(row or {}))

    return make


@pytest.fixture
def fallback(workspace: Workspace, model: ModelServer) -> dict[str, str]:
    """Fields of a definition whose fallback is the same scripted model, reached as another vendor's."""
    CredentialFactory.create(workspace=workspace, name="second", kind="openai_chat", base_url=f"{model.url}/v1")
    return {"fallback_provider": "openai_chat", "fallback_model": "local", "fallback_credential": "second"}


@pytest.fixture
def agent(make_agent: AgentMaker) -> Agent:
    return make_agent()


@pytest.fixture
def run_requests(transactional_db: None) -> Driver:
    """Claims and executes everything that is runnable, oldest first, until nothing is; returns what it ran.

    A worker lets go of its connection while a model is asked, so there is no one transaction around such a test.
    """

    def run() -> list[AgentRequest]:
        try:
            return _run_all()
        finally:
            if threading.current_thread() is not threading.main_thread():
                # A thread's connection outlives it, and then the test database cannot be dropped.
                connections.close_all()

    return run


def _run_all() -> list[AgentRequest]:
    ran: list[AgentRequest] = []
    owner = lease.new_owner()
    while len(ran) < _MOST_REQUESTS:
        claimed = [claimed for key in find_runnable(_MOST_REQUESTS) if (claimed := claim(key, owner))]
        if not claimed:
            return ran
        for agent_request in claimed:
            execute_request(agent_request, should_stop=lambda: False, stop=StopSignal())
            agent_request.refresh_from_db()
        ran += claimed
    raise AssertionError("Requests become runnable again and again.")


@pytest.fixture
def run_once(transactional_db: None) -> Stepper:
    """Claims one request and runs it until it ends or parks; False when it could not be claimed."""

    def run(agent_request: AgentRequest) -> bool:
        claimed = claim(agent_request.pk, lease.new_owner())
        if claimed is not None:
            execute_request(claimed, should_stop=lambda: False, stop=StopSignal())
        agent_request.refresh_from_db()
        return claimed is not None

    return run


@pytest.fixture
def event_log() -> EventLog:
    """The kinds of a request's events, in order."""
    return lambda agent_request: list(agent_request.events.order_by("sequence").values_list("event_type", flat=True))


@pytest.fixture
def remember(workspace: Workspace) -> Remember:
    """Stores a turn as the runtime does, and gives its id."""

    def store(user_message: str, agent_response: str = "", **given: Any) -> str:
        turn = NewTurn(
            turn_id=uuid.uuid4(),
            user=given.get("user", ""),
            user_message=user_message,
            agent_response=agent_response,
            signals=given.get("signals", {}),
            tokens=given.get("tokens", 10),
            metadata=given.get("metadata", {}),
            created_at=given.get("created_at") or timezone.now(),
        )
        owner = given.get("workspace", workspace)
        agent_id, session_id = given.get("agent_id", "assistant"), given.get("session_id", "talk")
        save_turn(owner, agent_id=agent_id, session_id=session_id, turn=turn)
        return str(turn.turn_id)

    return store


def client_with(token: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
