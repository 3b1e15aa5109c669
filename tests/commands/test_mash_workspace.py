import json
from collections.abc import Callable

import pytest

from tests.commands.conftest import Said
from tests.factories import UserFactory, WorkspaceFactory
from workspaces.bootstrap import add_member
from workspaces.members import LastOwner, remove_member
from workspaces.models import User, Workspace
from workspaces.roles import Role

Run = Callable[..., Said]


def test_a_workspace_is_made_with_its_starter_agent(run: Run) -> None:
    said = run("mash_workspace", "create", "research", "--name", "Research", "--starter-agent")
    assert said.code == 0, said.err
    workspace = Workspace.objects.get(slug="research")
    assert [agent.agent_id for agent in workspace.agents.listed()] == ["assistant"]
    assert {"workspace": "research", "name": "Research", "members": 0, "agents": 1} in json.loads(
        run("mash_workspace", "list", "--json").out
    )


@pytest.mark.parametrize("slug", ["Bad Slug", "a--b", "", "x" * 51])
def test_a_slug_that_will_not_do_is_refused(run: Run, slug: str) -> None:
    assert run("mash_workspace", "create", slug).code == 1
    assert not Workspace.objects.exists()


def test_a_slug_is_taken_once(run: Run) -> None:
    run("mash_workspace", "create", "research")
    said = run("mash_workspace", "create", "research")
    assert (said.code, "exists" in said.err) == (1, True)


def test_a_new_member_gets_an_account_whose_password_is_shown_once(run: Run) -> None:
    WorkspaceFactory.create(slug="research")
    assert "--new" in run("mash_workspace", "add-member", "research", "ada").err
    said = run("mash_workspace", "add-member", "research", "ada", "--role", "viewer", "--new")
    password = said.out.rpartition(" ")[2].strip()
    user = User.objects.get(username="ada")
    assert user.check_password(password)
    assert not user.is_superuser
    assert [
        (row["username"], row["role"]) for row in json.loads(run("mash_workspace", "members", "research", "--json").out)
    ] == [("ada", "viewer")]


def test_roles_change_and_members_leave(run: Run) -> None:
    workspace, user = WorkspaceFactory.create(slug="research"), UserFactory.create(username="ada")
    assert "no member" in run("mash_workspace", "set-role", "research", "ada", "--role", "admin").err
    run("mash_workspace", "add-member", "research", "ada")
    assert run("mash_workspace", "set-role", "research", "ada", "--role", "admin").code == 0
    assert workspace.memberships.get(user=user).role == Role.ADMIN
    assert run("mash_workspace", "remove-member", "research", "ada").code == 0
    assert run("mash_workspace", "remove-member", "research", "ada").code == 1
    actions = list(workspace.audit_entries.order_by("pk").values_list("action", flat=True))
    assert actions == ["member.added", "member.changed", "member.removed"]


@pytest.mark.parametrize(
    "action", [("remove-member",), ("set-role", "--role", "admin"), ("add-member", "--role", "viewer")]
)
def test_the_last_owner_stays(run: Run, action: tuple[str, ...]) -> None:
    workspace, user = WorkspaceFactory.create(slug="research"), UserFactory.create(username="ada")
    add_member(workspace, user, Role.OWNER, actor="tests")
    name, *options = action
    said = run("mash_workspace", name, "research", "ada", *options)
    assert (said.code, "last owner" in said.err) == (1, True)
    add_member(workspace, UserFactory.create(), Role.OWNER, actor="tests")
    assert run("mash_workspace", name, "research", "ada", *options).code == 0
    with pytest.raises(LastOwner):
        remove_member(workspace.memberships.get(role=Role.OWNER), actor="tests")


def test_an_unknown_workspace_is_named_with_a_way_on(run: Run) -> None:
    said = run("mash_workspace", "members", "nowhere")
    assert (said.code, "mash_workspace list" in said.err) == (1, True)
