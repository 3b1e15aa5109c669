"""Arguments for every page's route, out of a workspace that holds a bit of everything."""

import base64
import json

from django.db.models import Count
from django.utils import timezone

from runtime.attachments import store
from runtime.attachments.values import Upload
from runtime.models import AgentRequest
from telemetry.models import ApiEvent
from workspaces import encryption
from workspaces.invitations import invite
from workspaces.models import User, Workspace
from workspaces.roles import Role
from workspaces.tokens import issue_token

_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_ACTOR = "command:benchmarks"


def examples_in(workspace: Workspace, user: User) -> dict[str, str]:
    """By the names of the arguments; those that mean something else on each page, as `<route>.<argument>`.

    The user, an owner, makes what the demo leaves out: an attachment, and a token, a credential and an invitation of which
    nobody has the secrets.
    """
    row = _telling_request(workspace)
    token, _ = issue_token(workspace, name="Shop", actor=_ACTOR, created_by=user)
    invitation, _ = invite(workspace, Role.VIEWER, by=user, email="mei@example.com")
    credential, _ = workspace.credentials.get_or_create(
        name="vendor",
        defaults={"kind": "anthropic", "encrypted_key": encryption.encrypt("sk-demo"), "created_at": timezone.now()},
    )
    [picture] = store.keep(workspace, [Upload(name="dot.png", content=_DOT)])
    return {
        "workspace": workspace.slug,
        "request_id": str(row.request_id),
        "agent_id": row.agent.agent_id,
        "session_id": row.session_id,
        "attachment_id": str(picture.attachment_id),
        "interaction_id": workspace.interactions.filter(state="open").order_by("-pk")[0].interaction_id,
        "event_id": str(_telling_call(workspace).pk),
        "steer.verb": "rerun",
        "request-chosen.verb": "rerun",
        "settings-member.pk": str(workspace.memberships.get(user=user).pk),
        "settings-invitation-revoke.pk": str(invitation.pk),
        "settings-token-revoke.pk": str(token.pk),
        "settings-credential.pk": str(credential.pk),
        "settings-credential-remove.pk": str(credential.pk),
        "settings-price-remove.pk": str(workspace.price_overrides.all()[0].pk),
    }


def _telling_call(workspace: Workspace) -> ApiEvent:
    """Among the newest calls the one with the longest bodies."""
    newest = workspace.api_events.order_by("-pk")[:50]
    return max(newest, key=lambda call: len(json.dumps([call.request_body, call.response_body])))


def _telling_request(workspace: Workspace) -> AgentRequest:
    """The newest that has handed work on, or else the newest with a long log."""
    rows = workspace.agent_requests.filter(status="completed", parent=None, kind="turn").select_related("agent")
    newest = rows.filter(last_sequence__lt=200).order_by("-pk")[:500]
    handed_on = workspace.agent_requests.filter(parent__in=newest.values("pk")).values("parent").annotate(Count("pk"))
    for entry in handed_on.order_by("-parent")[:1]:
        return rows.get(pk=int(entry["parent"] or 0))
    return max(newest, key=lambda row: row.last_sequence)
