"""Provider keys, which never come out again, and the workspace's own prices."""

from decimal import Decimal

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from runtime.usage.prices import has_price
from tests.factories import AgentFactory, CredentialFactory
from workspaces.models import AuditEntry, Workspace

SECRET = "sk-very-secret-0123"


def page(workspace: Workspace, name: str, *arguments: object) -> str:
    return reverse(f"web:settings-{name}", args=[workspace.slug, *arguments])


def entered(**values: str) -> dict[str, str]:
    return {"name": "main", "kind": "anthropic", "base_url": "", "key": SECRET, **values}


def test_a_key_goes_in_and_never_comes_out(visitor: Client, workspace: Workspace) -> None:
    wrong = visitor.post(page(workspace, "credential-new"), entered(name=""))
    added = visitor.post(page(workspace, "credential-new"), entered(), follow=True)
    credential = workspace.credentials.get()
    assert credential.api_key == SECRET
    shown = visitor.get(page(workspace, "credential", credential.pk))
    for answer in (wrong, added, shown):
        assert SECRET not in answer.content.decode()
        assert credential.encrypted_key not in answer.content.decode()
    assert SECRET not in str(list(AuditEntry.rows.values_list("details", "target")))
    assert AuditEntry.rows.get(action="credential.added").details["key"] == "set"


def test_an_empty_key_stays_but_not_at_another_address(visitor: Client, workspace: Workspace) -> None:
    credential = CredentialFactory.create(workspace=workspace, name="main")
    url, before = page(workspace, "credential", credential.pk), credential.api_key
    moved = visitor.post(url, entered(base_url="https://collector.example.com", key=""))
    assert b"enter it again" in moved.content
    assert visitor.post(url, entered(name="renamed", key="")).status_code == 302
    credential.refresh_from_db()
    assert (credential.name, credential.base_url, credential.api_key) == ("renamed", "", before)


def test_a_name_is_unique_in_its_workspace(visitor: Client, workspace: Workspace, other_workspace: Workspace) -> None:
    CredentialFactory.create(workspace=other_workspace, name="main")
    assert visitor.post(page(workspace, "credential-new"), entered()).status_code == 302
    again = visitor.post(page(workspace, "credential-new"), entered())
    assert again.status_code == 200
    assert workspace.credentials.count() == 1


def test_a_key_that_agents_use_is_not_removed(visitor: Client, workspace: Workspace) -> None:
    credential = CredentialFactory.create(workspace=workspace, name="main")
    used = {"provider": "anthropic", "model": "claude", "fallback_credential": "main"}
    agent = AgentFactory.create(workspace=workspace, agent_id="travel-desk", definition=used)
    url, listed = page(workspace, "credential-remove", credential.pk), page(workspace, "credentials")
    assert "travel-desk" in visitor.get(listed).content.decode()
    assert url not in visitor.get(listed).content.decode()
    assert "Agents use this credential: travel-desk" in visitor.post(url, follow=True).content.decode()
    assert workspace.credentials.exists()
    agent.delete()
    visitor.post(url)
    assert not workspace.credentials.exists()
    assert AuditEntry.rows.filter(action="credential.removed").count() == 1


def test_models_without_a_price_come_first_until_they_have_one(visitor: Client, workspace: Workspace) -> None:
    for shard in (0, 1):
        workspace.daily_usage.create(
            day=timezone.now().date(),
            agent_name="a",
            provider="openai_chat",
            model="own/model 7b",
            shard=shard,
            model_calls=5,
            unknown_price_calls=2,
        )
    shown = visitor.get(page(workspace, "prices")).content.decode()
    assert "4 calls missing from the cost" in shown
    link = f"{page(workspace, 'price-new')}?model=own/model%207b"
    assert link in shown
    assert 'value="own/model 7b"' in visitor.get(link).content.decode()
    values = {
        "provider": "",
        "model_pattern": "own/*",
        "input_usd": "0.5",
        "output_usd": "1.25",
        "valid_from": "2026-01-01T00:00",
    }
    assert visitor.post(page(workspace, "price-new"), values).status_code == 302
    shown = visitor.get(page(workspace, "prices")).content.decode()
    assert "missing from the cost" not in shown
    assert "$1.25" in shown
    twice = visitor.post(page(workspace, "price-new"), values)
    assert b"There is a price for these models from this time on." in twice.content
    negative = visitor.post(page(workspace, "price-new"), values | {"input_usd": "-1"})
    assert b"greater than or equal to 0" in negative.content
    price = workspace.price_overrides.get()
    assert price.output_usd == Decimal("1.25")
    visitor.post(page(workspace, "price-remove", price.pk))
    assert not has_price(workspace, "openai_chat", "own/model 7b", at=timezone.now())
    assert set(AuditEntry.rows.values_list("action", flat=True)) >= {"price.added", "price.removed"}
