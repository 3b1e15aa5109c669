"""One factory per noun. A workspace that is given is threaded through to everything that is made beside it."""

import secrets
from datetime import timedelta
from typing import Any, TypeVar

import factory
from django.db import models
from django.utils import timezone
from factory.django import DjangoModelFactory
from typing_extensions import override

from agents.definition import AgentDefinition
from agents.memory.models import Session, Turn
from agents.models import Agent, McpServer, ProviderCredential, WorkspaceSkill
from agents.skill_versions import save_skill_version
from agents.versions import save_version
from runtime import events
from runtime.events import NewEvent
from runtime.kinds import EventKind
from runtime.models import AgentRequest, Attachment, AttachmentContent, Interaction
from tests.samples import PNG
from workspaces import encryption
from workspaces.models import Membership, User, Workspace

Row = TypeVar("Row", bound=models.Model)


class RowFactory(DjangoModelFactory[Row]):
    """Makes rows through the default manager, which stays open on tenant-owned models."""

    class Meta:
        abstract = True

    @classmethod
    @override
    def _get_manager(cls, model_class: type[Row]) -> "models.Manager[Row]":
        return model_class._default_manager


class WorkspaceFactory(RowFactory[Workspace]):
    class Meta:
        model = Workspace

    slug = factory.Sequence(lambda n: f"workspace-{n}")
    name = factory.LazyAttribute(lambda row: row.slug.title())
    created_at = factory.LazyFunction(timezone.now)


class UserFactory(RowFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user-{n}")
    email = factory.LazyAttribute(lambda row: f"{row.username}@example.com")


class MembershipFactory(RowFactory[Membership]):
    class Meta:
        model = Membership

    workspace = factory.SubFactory(WorkspaceFactory)
    user = factory.SubFactory(UserFactory)
    created_at = factory.LazyFunction(timezone.now)


class CredentialFactory(RowFactory[ProviderCredential]):
    class Meta:
        model = ProviderCredential

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"credential-{n}")
    kind = "anthropic"
    encrypted_key = factory.LazyFunction(lambda: encryption.encrypt("sk-test-0123456789"))
    created_at = factory.LazyFunction(timezone.now)


class McpServerFactory(RowFactory[McpServer]):
    class Meta:
        model = McpServer

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"server-{n}")
    url = "http://127.0.0.1:9/mcp"
    created_at = factory.LazyFunction(timezone.now)


class AgentFactory(RowFactory[Agent]):
    """An agent on the offline demo provider; `definition` takes fields of `AgentDefinition`."""

    class Meta:
        model = Agent
        skip_postgeneration_save = True

    workspace = factory.SubFactory(WorkspaceFactory)
    agent_id = factory.Sequence(lambda n: f"agent-{n}")
    role = Agent.Role.SUBAGENT
    created_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def definition(self: Agent, create: bool, extracted: Any, **_: Any) -> None:
        save_version(self, AgentDefinition(**(extracted or {})), actor="tests")


class SkillFactory(RowFactory[WorkspaceSkill]):
    """`content` takes what a version has: description and text."""

    class Meta:
        model = WorkspaceSkill
        skip_postgeneration_save = True

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"skill-{n}")
    created_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def content(self: WorkspaceSkill, create: bool, extracted: Any, **_: Any) -> None:
        content = {"description": f"About {self.name}.", "text": f"Do as {self.name} says.", **(extracted or {})}
        save_skill_version(self, actor="tests", **content)


class AgentRequestFactory(RowFactory[AgentRequest]):
    """An accepted request with its first event, as `accept_request` leaves it."""

    class Meta:
        model = AgentRequest
        skip_postgeneration_save = True

    workspace = factory.SubFactory(WorkspaceFactory)
    agent = factory.SubFactory(AgentFactory, workspace=factory.SelfAttribute("..workspace"))
    agent_version = factory.LazyAttribute(lambda row: row.agent.current_version)
    session_id = factory.Sequence(lambda n: f"session-{n}")
    message = "hello"
    created_by = "tests"
    accepted_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def accepted_event(self: AgentRequest, create: bool, extracted: Any, **_: Any) -> None:
        payload: dict[str, Any] = {"workflow_id": f"{self.agent.agent_id}:{self.request_id}", "message": self.message}
        payload |= {"initial_session_id": self.session_id, "request_metadata": {}}
        events.append(self, [NewEvent(event_type=EventKind.REQUEST_ACCEPTED, key="request.accepted", payload=payload)])


class InteractionFactory(RowFactory[Interaction]):
    """An open question about a call of `guarded`."""

    class Meta:
        model = Interaction

    workspace = factory.SubFactory(WorkspaceFactory)
    agent_request = factory.SubFactory(AgentRequestFactory, workspace=factory.SelfAttribute("..workspace"))
    run = 1
    loop_index = 0
    call_id = factory.Sequence(lambda n: f"call-{n}")
    kind = Interaction.Kind.APPROVAL
    prompt = "agent wants to run guarded."
    tool_calls = factory.LazyFunction(lambda: [{"id": "call", "name": "guarded", "arguments": {"text": "precious"}}])
    deadline = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=5))
    created_at = factory.LazyFunction(timezone.now)


class AttachmentFactory(RowFactory[Attachment]):
    class Meta:
        model = Attachment
        skip_postgeneration_save = True

    workspace = factory.SubFactory(WorkspaceFactory)
    sha256 = factory.LazyFunction(lambda: secrets.token_hex(32))
    size = len(PNG)
    media_type = "image/png"
    created_at = factory.LazyFunction(timezone.now)
    touched_at = factory.SelfAttribute("created_at")
    content = factory.RelatedFactory("tests.factories.AttachmentContentFactory", "attachment")


class AttachmentContentFactory(RowFactory[AttachmentContent]):
    class Meta:
        model = AttachmentContent

    data = PNG


class SessionFactory(RowFactory[Session]):
    class Meta:
        model = Session

    workspace = factory.SubFactory(WorkspaceFactory)
    agent_id = "assistant"
    session_id = factory.Sequence(lambda n: f"session-{n}")
    last_activity_at = factory.LazyFunction(timezone.now)


class TurnFactory(RowFactory[Turn]):
    class Meta:
        model = Turn

    workspace = factory.SubFactory(WorkspaceFactory)
    session = factory.SubFactory(SessionFactory, workspace=factory.SelfAttribute("..workspace"))
    turn_id = factory.Faker("uuid4", cast_to=None)
    user_message = "hello"
    agent_response = "hi"
    session_total_tokens = 10
    created_at = factory.LazyFunction(timezone.now)
