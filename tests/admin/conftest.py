"""People in two workspaces, signed in to the admin, and one row of every kind in each."""

from collections.abc import Callable

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from runtime.models import AgentRequest
from tests.factories import (
    AgentFactory,
    AgentRequestFactory,
    AttachmentFactory,
    CredentialFactory,
    InteractionFactory,
    McpServerFactory,
    SessionFactory,
    SkillFactory,
    TurnFactory,
    UserFactory,
)
from workflows.catalogue import new_workflow
from workspaces.bootstrap import add_member
from workspaces.models import User, Workspace
from workspaces.roles import Role
from workspaces.tokens import issue_token

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _plain_static_files(settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def make_member(workspace: Workspace, role: Role, **values: object) -> User:
    user = UserFactory.create(is_staff=True, **values)
    add_member(workspace, user, role, actor="tests")
    return user


@pytest.fixture
def sign_in(workspace: Workspace) -> SignIn:
    """A browser of a new member of the workspace with this role."""

    def enter(role: Role = Role.OWNER, *, into: Workspace | None = None) -> Client:
        return browser_of(make_member(into or workspace, role))

    return enter


@pytest.fixture
def operator(db: None) -> Client:
    """The superuser's browser."""
    return browser_of(UserFactory.create(username="root", is_staff=True, is_superuser=True))


def browser_of(user: User) -> Client:
    client = Client(headers={"accept": "text/html"})
    client.force_login(user)
    return client


def furnish(workspace: Workspace, mark: str) -> dict[type[Model], Model]:
    """One row of every model that the admin shows, each with `mark` in what lists show of it."""
    member = make_member(workspace, Role.OWNER, username=f"{mark}-member")
    token, _ = issue_token(workspace, name=f"{mark}-token", actor=mark)
    agent = AgentFactory.create(workspace=workspace, agent_id=f"{mark}-agent", definition={"display_name": mark})
    agent_request: AgentRequest = AgentRequestFactory.create(
        workspace=workspace, agent=agent, session_id=f"{mark}-session"
    )
    session = SessionFactory.create(workspace=workspace, agent_id=agent.agent_id, session_id=f"{mark}-session")
    turn = TurnFactory.create(workspace=workspace, session=session, user_message=f"{mark}-turn")
    credential = CredentialFactory.create(workspace=workspace, name=f"{mark}-credential")
    server = McpServerFactory.create(workspace=workspace, name=f"{mark}-server")
    skill = SkillFactory.create(workspace=workspace, name=f"{mark}-skill")
    membership = workspace.memberships.get(user=member)
    entry = workspace.audit_entries.create(at=timezone.now(), actor=mark, action="x", target=f"{mark}-audit")
    event = agent_request.events.get()
    question = InteractionFactory.create(workspace=workspace, agent_request=agent_request, prompt=f"{mark}-question")
    price = workspace.price_overrides.create(
        model_pattern=f"{mark}-price", input_usd="1", output_usd="2", valid_from=timezone.now()
    )
    usage = workspace.daily_usage.create(day=timezone.now().date(), agent_name=mark, model=f"{mark}-model", shard=0)
    attachment = AttachmentFactory.create(workspace=workspace, sha256=mark)
    workflow = new_workflow(workspace, f"{mark}-workflow")
    rows = [
        workflow,
        attachment,
        member,
        workspace,
        token,
        agent,
        agent_request,
        session,
        turn,
        credential,
        server,
        skill,
        membership,
        entry,
        event,
        price,
        usage,
        question,
    ]
    return {type(row): row for row in rows}
