"""Answers that no vendor should send: the request still ends well, or ends with a reason."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from agents.llm.call_ids import MAX_ID_CHARACTERS, with_usable_ids
from agents.llm.tool_arguments import tool_call
from agents.llm.types import LLMContentBlock, LLMResponse, LLMToolCall
from agents.models import Agent
from tests.factories import AgentFactory
from workspaces.access import without_access
from workspaces.authenticate import Principal
from workspaces.models import User, Workspace
from workspaces.roles import Role, Scope
from workspaces.tokens import issue_token, revoke_token


@pytest.mark.parametrize("ids", [["c1", "c1"], ["", ""], ["\x00", "\ud800"], ["x" * 500, "ok"], ["call_0_0", ""]])
def test_calls_get_ids_that_tell_them_apart(ids: list[str]) -> None:
    calls = [LLMToolCall(id=call_id, name="calculate", arguments={"n": n}) for n, call_id in enumerate(ids)]
    blocks = [LLMContentBlock.text("so"), *map(LLMContentBlock.tool_call, calls)]
    answer = with_usable_ids(LLMResponse(tool_calls=calls, content_blocks=blocks))
    kept = [call.id for call in answer.tool_calls]
    assert len(set(kept)) == len(ids)
    assert all(0 < len(call_id) <= MAX_ID_CHARACTERS and call_id.isprintable() for call_id in kept)
    assert [block.data["id"] for block in answer.content_blocks if block.type == "tool_call"] == kept
    assert [call.arguments["n"] for call in answer.tool_calls] == [0, 1]


def test_arguments_nested_beyond_reason_are_told_to_the_model_as_invalid() -> None:
    text = '{"a":' * 5000 + "1" + "}" * 5000
    assert tool_call(call_id="c", name="calculate", raw=text).invalid_arguments is not None
    deep: dict[str, object] = {}
    for _ in range(900):
        deep = {"a": deep}
    assert tool_call(call_id="c", name="calculate", raw=deep).invalid_arguments is not None
    assert tool_call(call_id="c", name="calculate", raw={"a": [{"b": 1}]}).invalid_arguments is None


def test_half_a_character_in_arguments_is_told_to_the_model_as_invalid() -> None:
    call = tool_call(call_id="c", name="echo", raw='{"text": "\\ud800"}')
    assert call.invalid_arguments
    assert not call.arguments


def test_a_number_beyond_all_numbers_is_refused(api_client: APIClient, workspace: Workspace) -> None:
    agent: Agent = AgentFactory.create(workspace=workspace)
    body = b'{"message": "x", "session_id": "s", "metadata": {"a": 1e999}}'
    answer = api_client.generic("POST", f"/api/v1/agent/{agent.agent_id}/request", body, "application/json")
    assert answer.status_code == 422


def test_who_lost_access_is_found(workspace: Workspace) -> None:
    scopes = frozenset(Scope)
    kept, revoked = (issue_token(workspace, name=name, actor="tests")[0] for name in ("kept", "revoked"))
    expired, _ = issue_token(workspace, name="expired", actor="tests", expires_at=timezone.now() - timedelta(seconds=1))
    revoke_token(revoked, actor="tests")
    member, stranger = (User.objects.create_user(name) for name in ("member", "stranger"))
    workspace.memberships.create(user=member, role=Role.VIEWER, created_at=timezone.now())
    by_token = {
        token.name: Principal(workspace=workspace, scopes=scopes, token=token) for token in (kept, revoked, expired)
    }
    by_user = {user.username: Principal(workspace=workspace, scopes=scopes, user=user) for user in (member, stranger)}
    principals = by_token | by_user
    gone = without_access(list(principals.values()))
    assert {name for name, principal in principals.items() if principal in gone} == {"revoked", "expired", "stranger"}
