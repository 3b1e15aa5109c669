import json
from collections.abc import Callable

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from tests.commands.conftest import Said
from tests.factories import WorkspaceFactory
from workspaces.models import Workspace
from workspaces.roles import ROLE_SCOPES, Role
from workspaces.tokens import digest_of, issue_token

Run = Callable[..., Said]


@pytest.fixture
def research(db: None) -> Workspace:
    return WorkspaceFactory.create(slug="research")


def test_a_token_is_written_alone_and_not_kept(run: Run, research: Workspace) -> None:
    said = run("mash_token", "issue", "research", "--name", "ci", "--role", "operator", "--days", "2")
    text = said.out.strip()
    token = research.tokens.get()
    assert said.out.count("\n") == 1
    assert token.digest == digest_of(text)
    assert set(token.scopes) == ROLE_SCOPES[Role.OPERATOR]
    assert token.expires_at is not None
    assert 1 <= (token.expires_at - timezone.now()).days < 2
    assert text not in run("mash_token", "list", "research").out + run("mash_token", "list", "research", "--json").out


def test_scopes_may_be_chosen_one_by_one(run: Run, research: Workspace) -> None:
    said = run(
        "mash_token", "issue", "research", "--name", "r", "--scope", "agents:read", "--scope", "agents:run", "--json"
    )
    issued = json.loads(said.out)
    assert issued["scopes"] == ["agents:read", "agents:run"]
    assert research.tokens.get().digest == digest_of(issued["token"])


@pytest.mark.parametrize("by", ["prefix", "id"])
def test_a_token_is_revoked_by_what_the_list_shows(run: Run, research: Workspace, by: str) -> None:
    token, _ = issue_token(research, name="ci", actor="tests")
    named = token.prefix if by == "prefix" else str(token.pk)
    assert "is revoked" in run("mash_token", "revoke", "research", named).out
    assert "before" in run("mash_token", "revoke", "research", named).out
    assert json.loads(run("mash_token", "list", "research", "--json").out)[0]["state"] == "revoked"


def test_a_token_of_another_workspace_is_not_there(run: Run, research: Workspace) -> None:
    token, _ = issue_token(WorkspaceFactory.create(), name="ci", actor="tests")
    for named in (token.prefix, str(token.pk)):
        said = run("mash_token", "revoke", "research", named)
        assert (said.code, "has no token" in said.err) == (1, True)
    token.refresh_from_db()
    assert token.revoked_at is None


def test_tokens_with_one_prefix_must_be_named_by_id(run: Run, research: Workspace) -> None:
    for number in range(2):
        issue_token(research, name="given", actor="tests", secret=f"chosen-by-the-operator-{number}")
    said = run("mash_token", "revoke", "research", "env")
    assert (said.code, "by its id" in said.err) == (1, True)


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_days_must_make_sense(run: Run, research: Workspace, days: str) -> None:
    said = run("mash_token", "issue", "research", "--name", "ci", f"--days={days}")
    assert (said.code != 0, "from 1 to" in said.err) == (True, True)
    assert CommandError("").returncode == 1
