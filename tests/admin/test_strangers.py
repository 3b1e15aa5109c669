"""Every registered admin, walked as a stranger: another workspace's rows answer like missing ones."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import SignIn, browser_of, furnish, make_member
from workspaces.models import User, Workspace
from workspaces.roles import Role

MODELS = list(admin.site._registry)
TENANT_MODELS = [model for model in MODELS if model is not User]
LABELS = [model._meta.label_lower for model in TENANT_MODELS]
OTHER_PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "agents_agent_versions": ("Agent", ()),
    "agents_mcpserver_tools": ("McpServer", ()),
    "agents_workspaceskill_versions": ("WorkspaceSkill", ()),
    "runtime_agentrequest_send": ("Agent", ()),
    "runtime_agentrequest_steer": ("AgentRequest", ("cancel",)),
    "runtime_interaction_answer": ("Interaction", ()),
    "workflows_workflow_versions": ("Workflow", ()),
}
RESTORES = {
    "agents_agent_restore": "Agent",
    "agents_workspaceskill_restore": "WorkspaceSkill",
    "workflows_workflow_restore": "Workflow",
}


def address(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def secrets(other_workspace: Workspace) -> dict[type[Model], Model]:
    return furnish(other_workspace, "secret")


@pytest.fixture
def stranger(sign_in: SignIn, workspace: Workspace, secrets: object) -> Client:
    furnish(workspace, "own")
    return sign_in(Role.OWNER)


def test_every_registered_model_has_an_example(secrets):
    assert set(MODELS) == set(secrets)


def test_the_queue_and_groups_have_no_pages():
    assert {model._meta.app_label for model in MODELS} == {"workspaces", "agents", "runtime", "workflows"}


@pytest.mark.parametrize("model", TENANT_MODELS, ids=LABELS)
def test_lists_show_only_ones_own(stranger, model, workspace, other_workspace):
    page = stranger.get(address(model, "changelist"))
    text = page.content.decode()
    assert page.status_code == 200
    assert "secret" not in text
    assert f">{other_workspace.slug}<" not in text
    assert "own" in text or workspace.slug in text


@pytest.mark.parametrize("model", TENANT_MODELS, ids=LABELS)
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_another_workspaces_row_is_as_missing_as_none(stranger, secrets, model, page):
    for key in (secrets[model].pk, 999_999):
        for answer in (
            stranger.get(address(model, page, key)),
            stranger.post(address(model, page, key), {"post": "yes"}),
        ):
            if page == "history" and answer.status_code == 405:
                continue
            assert answer.status_code == 404, (key, answer.request["REQUEST_METHOD"])
    assert model._default_manager.filter(pk=secrets[model].pk).exists()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=LABELS)
def test_forms_offer_only_ones_own(stranger, model, other_workspace):
    page = stranger.get(address(model, "add"))
    assert page.status_code in {200, 403}
    assert "secret" not in page.content.decode()
    assert other_workspace.slug not in page.content.decode()


def test_autocomplete_finds_only_ones_own(stranger):
    asked = 0
    for model in MODELS:
        for field in (field for field in model._meta.fields if field.remote_field):
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            answer = stranger.get(reverse("admin:autocomplete"), {**query, "term": ""})
            assert "secret" not in answer.content.decode()
            asked += answer.status_code == 200
    assert asked >= 5


@pytest.mark.parametrize("model", TENANT_MODELS, ids=LABELS)
def test_search_and_filters_find_only_ones_own(stranger, model, other_workspace):
    for query in (
        {"q": "secret-session"},
        {"workspace": other_workspace.pk},
        {"workspace__slug": other_workspace.slug},
    ):
        answer = stranger.get(address(model, "changelist"), query)
        assert answer.status_code in {200, 302, 400}
        assert "secret-" not in answer.content.decode().replace("secret-session", "")


def test_the_pages_beside_the_models_are_closed_too(stranger, secrets):
    rows = {model.__name__: row for model, row in secrets.items()}
    for name, (subject, more) in OTHER_PAGES.items():
        url = reverse(f"admin:{name}", args=[rows[subject].pk, *more])
        assert (stranger.get(url).status_code, stranger.post(url).status_code) == (404, 404), url
    for name, model in RESTORES.items():
        restore = reverse(f"admin:{name}", args=[rows[model].pk, 1])
        assert stranger.post(restore).status_code == 404
        assert stranger.get(restore).status_code == 405


def test_only_ones_own_files_are_downloaded(stranger, secrets, workspace):
    foreign = next(row for model, row in secrets.items() if model.__name__ == "Attachment")
    assert stranger.get(reverse("admin:runtime_attachment_download", args=[foreign.pk])).status_code == 404
    own = workspace.attachments.get()
    answer = stranger.get(reverse("admin:runtime_attachment_download", args=[own.pk]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer["Content-Security-Policy"]


def test_every_route_of_the_admin_is_walked():
    """A page that is added beside the stock ones needs its own stranger test."""
    stock = {"changelist", "add", "history", "delete", "change"}
    names = {url.name for pages in admin.site._registry.values() for url in pages.get_urls() if url.name}
    extra = {name for name in names if name.rsplit("_", 1)[-1] not in stock}
    assert extra == {*OTHER_PAGES, *RESTORES, "runtime_attachment_download", "agents_mcpserver_approve"}


def test_accounts_are_the_operators_business(stranger, operator, secrets):
    user = secrets[User]
    for page, args in (("changelist", ()), ("add", ()), ("change", (user.pk,)), ("delete", (user.pk,))):
        assert stranger.get(address(User, page, *args)).status_code == 403
    histories = [stranger.get(address(User, "history", key)) for key in (user.pk, 999_999)]
    assert histories[0].status_code == histories[1].status_code
    assert stranger.get(reverse("admin:auth_user_password_change", args=[user.pk])).status_code == 403
    assert b"secret-member" in operator.get(address(User, "changelist")).content


def test_a_free_lookup_cannot_feel_its_way_to_a_secret(sign_in, workspace):
    rows = furnish(workspace, "own")
    client = sign_in(Role.OWNER)
    for model, row in rows.items():
        columns = {"ApiToken": "digest", "ProviderCredential": "encrypted_key", "McpServer": "encrypted_secrets"}
        if column := columns.get(model.__name__):
            query = {f"{column}__startswith": getattr(row, column)[:3] or "x"}
            assert client.get(address(model, "changelist"), query).status_code == 400


def test_somebody_without_staff_status_is_sent_to_the_sign_in_page(workspace):
    user = make_member(workspace, Role.OWNER)
    type(user).objects.filter(pk=user.pk).update(is_staff=False)
    user.refresh_from_db()
    assert browser_of(user).get(address(MODELS[0], "changelist")).status_code == 302
