"""The API log as people see it: which calls there were, found by what is known of them."""

import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from telemetry.models import ApiEvent
from workspaces.models import Workspace


def note(workspace: Workspace, *, days_ago: float = 0, **given: Any) -> ApiEvent:
    call = {
        "method": "POST",
        "path": "/api/v1/agent/support/request",
        "route": "/api/v1/agent/{agent_id}/request",
        "status_code": 202,
        "duration_ms": 7,
        "request_body": {"bytes": 1500, "capture_status": "disabled"},
        "response_body": {"bytes": 82, "capture_status": "disabled"},
        "principal": "token:mash_shop",
        "created_at": timezone.now() - timedelta(days=days_ago),
    }
    return workspace.api_events.create(**{**call, **given})


def shown(client: Client, workspace: Workspace, **query: str) -> list[int]:
    html = client.get(f"/w/{workspace.slug}/api-log/", query).content.decode()
    return [int(number) for number in re.findall(r'id="call-(\d+)"', html)]


def test_a_row_says_how_much_went_in_and_out_and_leads_to_the_request(visitor: Client, workspace: Workspace) -> None:
    about = "6f9619ff-8b86-4d01-b42d-00c04fc964ff"
    call = note(workspace, query_params={"path_params": {"agent_id": "support", "request_id": about}})
    html = visitor.get(f"/w/{workspace.slug}/api-log/").content.decode()
    row = html.split(f'id="call-{call.pk}"')[1].split("</tr>")[0]
    assert "1.5 kB → 82 B" in row
    assert 'title="/api/v1/agent/{agent_id}/request"' in row
    assert f'href="/w/{workspace.slug}/go/?q={about}"' in row


def test_calls_are_found_by_time_and_by_the_id_that_the_caller_was_given(visitor: Client, workspace: Workspace) -> None:
    old = note(workspace, days_ago=3)
    named = note(workspace, response_headers={"x-request-id": "3fa85f6457174562b3fc2c963f66afa6"})
    assert shown(visitor, workspace) == [named.pk, old.pk]
    assert shown(visitor, workspace, range="24h") == [named.pk]
    assert shown(visitor, workspace, id="3fa85f6457174562b3fc2c963f66afa6") == [named.pk]
    assert shown(visitor, workspace, id="something else") == []
    page = visitor.get(f"/w/{workspace.slug}/api-log/", {"range": "3y"}).content.decode()
    assert "range: 3y is unknown" in page


def test_a_call_says_why_it_has_no_bodies(visitor: Client, workspace: Workspace) -> None:
    call = note(workspace, response_headers={"x-request-id": "abc"})
    path = f"/w/{workspace.slug}/api-log/{call.pk}/"
    html = visitor.get(path).content.decode()
    assert f'href="/w/{workspace.slug}/settings/workspace/"' in html
    assert "abc" in html
    workspace.api_log_bodies = True
    workspace.save()
    assert "Bodies of this workspace's calls are not kept" not in visitor.get(path).content.decode()
