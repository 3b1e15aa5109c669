"""Coming in and going out: sign-in and its bounds, passwords, and the pages for what is not there."""

import re
import uuid

import pytest
from django.core import mail
from django.core.cache import caches
from django.test import Client, RequestFactory
from django.urls import reverse

from mashsite.pages import server_error
from tests.factories import MembershipFactory, UserFactory
from tests.pages.conftest import signed_in
from workspaces.models import AuditEntry, User, Workspace
from workspaces.passwords import may_reset, reset_tokens
from workspaces.roles import Role

PASSWORD = "correct-horse-battery"
NEW = "a-whole-new-staple"
LOGIN = "/account/login/"


@pytest.fixture(autouse=True)
def _no_tries_yet(settings) -> None:
    """This process counts alone, from nothing."""
    settings.CACHES = {name: about for name, about in settings.CACHES.items() if name != "shared-tries"}
    caches["tries"].clear()


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """A hundred tries would take minutes with a hasher that is meant to be slow."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ada(workspace: Workspace) -> User:
    user: User = UserFactory.create(username="ada", email="ada@example.com")
    user.set_password(PASSWORD)
    user.save()
    MembershipFactory.create(workspace=workspace, user=user, role=Role.DEVELOPER)
    return user


def sign_in(client: Client, name: str = "ada", password: str = PASSWORD, **more: str):
    return client.post(LOGIN, {"username": name, "password": password, **more})


def test_signing_in_leads_where_one_wanted_to_go(client: Client, ada: User) -> None:
    assert sign_in(client, next="/w/x/requests/?status=failed").headers["Location"] == "/w/x/requests/?status=failed"
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize(
    "hostile", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_a_hostile_next_leads_home(client: Client, ada: User, hostile: str) -> None:
    assert sign_in(client, next=hostile).headers["Location"] == "/w/"
    left = client.post("/account/logout/", {"next": hostile})
    assert left.headers["Location"].startswith("/account/")


def test_signing_out_needs_a_post(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert client.get("/account/logout/").status_code == 405
    assert client.post("/account/logout/").headers["Location"] == LOGIN
    assert "_auth_user_id" not in client.session


def test_guessing_ends_after_ten_tries(client: Client, ada: User) -> None:
    for _ in range(10):
        assert b"Please enter a correct" in sign_in(client, password="wrong").content
    refused = sign_in(client)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert b"Try again in 15 minutes" in refused.content
    assert sign_in(client, " ADA").status_code == 429, "Spelling the name otherwise helps nobody."
    UserFactory.create(username="grace")
    assert sign_in(client, "grace", "wrong").status_code == 200, "Somebody else is not locked out."
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9")).status_code == 302, "Nor is this person elsewhere."


@pytest.mark.postgresql
def test_processes_count_together_in_redis(ada: User, settings) -> None:
    """With PostgreSQL the suite has a Redis; what is left in it by other tests is not emptied for this one."""
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": settings.MASH_REDIS_URL}
    settings.CACHES = {**settings.CACHES, "shared-tries": redis}
    client = Client(REMOTE_ADDR=f"fd00::{uuid.uuid4().hex[:4]}")
    for _ in range(10):
        sign_in(client, password="wrong")
        caches["tries"].clear()
    assert sign_in(client).status_code == 429


def test_without_redis_each_process_counts_for_itself(client: Client, ada: User, settings, caplog) -> None:
    gone = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "shared-tries": gone}
    for _ in range(10):
        assert sign_in(client, password="wrong").status_code == 200
    assert sign_in(client).status_code == 429
    assert "this process counts its own" in caplog.text


def test_a_right_password_forgives_what_was_mistyped(client: Client, ada: User) -> None:
    for _ in range(3):
        for _ in range(6):
            sign_in(client, password="wrong")
        assert sign_in(client).status_code == 302


def test_one_address_may_not_try_many_names(client: Client, db: None) -> None:
    answers = [sign_in(client, f"person-{number}", "wrong").status_code for number in range(101)]
    assert answers == [200] * 100 + [429]


def test_many_addresses_may_not_try_one_name(client: Client, ada: User) -> None:
    for number in range(100):
        sign_in(Client(REMOTE_ADDR=f"10.0.1.{number}"), password="wrong")
    assert sign_in(client).status_code == 429


def test_behind_a_proxy_the_last_address_counts(ada: User, settings) -> None:
    settings.MASH_HTTPS = True
    for number in range(11):
        client = Client(headers={"X-Forwarded-For": f"1.2.3.{number}, 9.9.9.9"})
        answer = sign_in(client, password="wrong")
    assert answer.status_code == 429


def test_the_admin_has_no_door_of_its_own(client: Client, ada: User) -> None:
    answer = client.get("/admin/login/?next=/admin/agents/agent/")
    assert answer.headers["Location"] == "/account/login/?next=/admin/agents/agent/"
    assert client.post("/admin/login/", {"username": "ada", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" not in client.session
    client.force_login(ada)
    told = client.get("/admin/login/?next=/admin/", headers={"accept": "text/html"})
    assert told.status_code == 403
    assert b"ada may not enter the admin" in told.content


def test_a_changed_password_signs_other_browsers_out(client: Client, ada: User) -> None:
    client.force_login(ada)
    other = signed_in(ada)
    values = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/account/password/", values | {"old_password": "wrong"}).status_code == 200
    weak = client.post("/account/password/", values | {"new_password1": "ada", "new_password2": "ada"})
    assert b"at least 10 characters" in weak.content
    assert client.post("/account/password/", values).headers["Location"] == "/w/"
    assert "_auth_user_id" in client.session
    assert other.get("/w/").headers["Location"].startswith(LOGIN)


def test_without_a_mail_server_the_page_says_who_can_help(client: Client, ada: User) -> None:
    assert b"an owner or admin" in client.get("/account/reset/").content
    assert b"an owner or admin" in client.post("/account/reset/", {"email": ada.email}).content
    assert not mail.outbox


def test_a_mailed_link_sets_a_new_password_once(client: Client, ada: User, settings) -> None:
    settings.MASH_EMAIL_HOST = "mail.example.com"
    unknown = client.post("/account/reset/", {"email": "nobody@example.com"})
    known = client.post("/account/reset/", {"email": "ADA@example.com"})
    assert unknown.headers["Location"] == known.headers["Location"] == "/account/reset/sent/"
    (letter,) = mail.outbox
    found = re.search(r"http://testserver(/account/reset/\S+)", letter.body)
    page = client.get(found[1], follow=True)
    assert found[1].rpartition("/account/")[2] not in page.content.decode(), "The link's token stays out of the page."
    url = page.request["PATH_INFO"]
    assert client.post(url, {"new_password1": NEW, "new_password2": NEW}).headers["Location"] == LOGIN
    assert sign_in(client, password=NEW).status_code == 302
    assert b"works no more" in Client().get(found[1], follow=True).content


def test_nobody_floods_a_mailbox(client: Client, ada: User, settings) -> None:
    settings.MASH_EMAIL_HOST = "mail.example.com"
    answers = [client.post("/account/reset/", {"email": ada.email}).status_code for _ in range(11)]
    assert answers[-1] == 429
    assert len(mail.outbox) == 10


def test_an_owner_makes_a_reset_link_that_is_shown_once(visitor: Client, ada: User, workspace: Workspace) -> None:
    member = workspace.memberships.get(user=ada)
    page = reverse("web:settings-member", args=[workspace.slug, member.pk])
    shown = visitor.post(page, {"do": "reset"})
    assert shown.headers["Cache-Control"] == "no-store"
    link = re.search(r"http://testserver(/account/reset/[^<\s]+)", shown.content.decode())[1]
    assert link not in visitor.get(page).content.decode()
    assert AuditEntry.rows.get(action="password.reset_offered").target == "ada"
    browser = Client()
    form = browser.get(link, follow=True).request["PATH_INFO"]
    browser.post(form, {"new_password1": NEW, "new_password2": NEW})
    ada.refresh_from_db()
    assert ada.check_password(NEW)


def test_a_link_ends_when_the_account_may_do_more(ada: User, other_workspace: Workspace) -> None:
    token = reset_tokens.make_token(ada)
    assert reset_tokens.check_token(ada, token)
    MembershipFactory.create(workspace=other_workspace, user=ada)
    assert not reset_tokens.check_token(ada, token)


def test_who_may_reset_whom(workspace: Workspace, other_workspace: Workspace, ada: User) -> None:
    owner, admin, root = UserFactory.create(), UserFactory.create(), UserFactory.create(is_superuser=True)
    MembershipFactory.create(workspace=workspace, user=owner, role=Role.OWNER)
    MembershipFactory.create(workspace=workspace, user=admin, role=Role.ADMIN)
    assert may_reset(owner, ada)
    assert may_reset(admin, ada)
    assert not may_reset(admin, owner)
    assert not may_reset(ada, ada)
    assert not may_reset(owner, root)
    MembershipFactory.create(workspace=other_workspace, user=ada, role=Role.VIEWER)
    assert not may_reset(owner, ada), "Else this owner would come into the other workspace."
    assert may_reset(root, ada)


@pytest.mark.parametrize(("path", "status", "words"), [("/nothing", 404, b"nothing here"), ("/w/nowhere/", 302, b"")])
def test_people_get_a_page_of_ours(client: Client, db: None, path: str, status: int, words: bytes) -> None:
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == status
    assert words in answer.content


def test_pages_about_what_went_wrong_ask_the_database_nothing(
    visitor: Client, rf: RequestFactory, django_assert_num_queries
) -> None:
    with django_assert_num_queries(0):
        assert visitor.get("/nothing", headers={"accept": "text/html"}).status_code == 404
        broken = server_error(rf.get("/w/", headers={"accept": "text/html"}))
    assert b"on our side" in broken.content


def test_a_stale_form_is_explained(ada: User) -> None:
    answer = Client(enforce_csrf_checks=True).post(LOGIN, {"username": "ada"}, headers={"accept": "text/html"})
    assert answer.status_code == 403
    assert b"too old" in answer.content


def test_the_front_door_knows_people_from_programs(client: Client) -> None:
    assert client.get("/").json()["service"] == "mash-api"
    assert client.get("/", headers={"accept": "*/*"}).json()["service"] == "mash-api"
    browser = client.get("/", headers={"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    assert browser.headers["Location"] == "/w/"
    assert browser.headers["Vary"] == "Accept"
