"""People who look at pages, in the test's own thread and transaction."""

import pytest
from django.test import Client

from tests.factories import MembershipFactory, UserFactory
from workspaces.models import User, Workspace
from workspaces.roles import Role


@pytest.fixture
def owner(workspace: Workspace) -> User:
    user = UserFactory.create()
    MembershipFactory.create(workspace=workspace, user=user, role=Role.OWNER)
    return user


@pytest.fixture
def visitor(owner: User) -> Client:
    """A browser in which an owner of the workspace is signed in."""
    return signed_in(owner)


@pytest.fixture
def viewer(workspace: Workspace) -> Client:
    """A browser of a member who may look and change nothing."""
    user = UserFactory.create()
    MembershipFactory.create(workspace=workspace, user=user, role=Role.VIEWER)
    return signed_in(user)


@pytest.fixture
def stranger(other_workspace: Workspace) -> Client:
    """A browser of an owner of the other workspace."""
    user = UserFactory.create()
    MembershipFactory.create(workspace=other_workspace, user=user, role=Role.OWNER)
    return signed_in(user)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
