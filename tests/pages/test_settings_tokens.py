"""API tokens: shown once, by no reload again, and revoked."""

import re

from django.test import Client
from django.urls import reverse

from workspaces.models import ApiToken, AuditEntry, Workspace
from workspaces.tokens import digest_of, issue_token

TEXT = re.compile(r"mash_[0-9a-f]{8}_[\w-]{43}")


def page(workspace: Workspace, name: str = "token-new", *arguments: object) -> str:
    return reverse(f"web:settings-{name}", args=[workspace.slug, *arguments])


def wanted(**values: object) -> dict[str, object]:
    return {"name": "nightly", "days": 30, "scopes": ["agents:read", "agents:run"], "after": 0, **values}


def test_the_text_is_shown_once_and_kept_nowhere(visitor: Client, workspace: Workspace) -> None:
    answer = visitor.post(page(workspace), wanted())
    (text,) = set(TEXT.findall(answer.content.decode()))
    assert answer.headers["Cache-Control"] == "no-store"
    token = ApiToken.rows.get()
    assert token.digest == digest_of(text)
    assert token.scopes == ["agents:read", "agents:run"]
    assert 29 <= (token.expires_at - token.created_at).days <= 30
    kept = str([*ApiToken.rows.values_list(), *AuditEntry.rows.values_list("details", "target"), dict(visitor.session)])
    assert text not in kept
    assert text not in str(visitor.cookies)
    for url in (page(workspace, "tokens"), page(workspace, "audit"), page(workspace)):
        shown = visitor.get(url).content.decode()
        assert text not in shown
        assert token.digest not in shown


def test_a_reload_makes_no_second_token(visitor: Client, workspace: Workspace) -> None:
    visitor.post(page(workspace), wanted())
    again = visitor.post(page(workspace), wanted(), follow=True).content.decode()
    assert "was made before" in again
    assert not TEXT.findall(again)
    assert ApiToken.rows.count() == 1
    newest = ApiToken.rows.get().pk
    assert f'name="after" value="{newest}"' in visitor.get(page(workspace)).content.decode()
    visitor.post(page(workspace), wanted(after=newest))
    assert ApiToken.rows.count() == 2, "A new form may give the same name."


def test_a_wrong_form_issues_nothing(visitor: Client, workspace: Workspace) -> None:
    for wrong in ({"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"days": 3}, {"after": "x"}):
        assert visitor.post(page(workspace), wanted(**wrong)).status_code == 200
    assert not ApiToken.rows.exists()


def test_revoking_is_asked_and_ends_the_token(visitor: Client, workspace: Workspace) -> None:
    token, _ = issue_token(workspace, name="old", actor="tests")
    url = page(workspace, "token-revoke", token.pk)
    assert b"refused at once" in visitor.get(url).content
    assert ApiToken.rows.filter(revoked_at=None).count() == 1
    visitor.post(url)
    visitor.post(url)
    assert ApiToken.rows.exclude(revoked_at=None).count() == 1
    assert AuditEntry.rows.filter(action="token.revoked").count() == 1
    assert "revoked" in visitor.get(page(workspace, "tokens")).content.decode()
