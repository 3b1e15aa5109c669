"""Pages in a real browser, served by a web process of their own on the test's database."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django import DjangoDbBlocker

from tests.browser.chromium import chromium
from tests.factories import MembershipFactory, UserFactory
from tests.live_web import LiveWeb, live_web
from workspaces.models import User, Workspace
from workspaces.roles import Role

PATIENCE_MS = 15_000
SignIn = Callable[..., Page]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Started anew for each test: while Playwright runs, no other test of this process can have an event loop."""
    # That loop is in the test's own thread, which Django takes for asynchronous code.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile."""
    opened = browser.new_context(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; what goes wrong in its scripts, or against its content security policy, fails the test."""
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    yield tab
    assert not errors


@pytest.fixture(scope="session")
def site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveWeb]:
    """One web process for all tests of this room."""
    with django_db_blocker.unblock(), live_web() as running:
        yield running


@pytest.fixture
def member(transactional_db: None, workspace: Workspace) -> User:
    """An owner of the workspace."""
    user = UserFactory.create(username="ada")
    MembershipFactory.create(workspace=workspace, user=user, role=Role.OWNER)
    return user


@pytest.fixture
def signed_in(site: LiveWeb, context: BrowserContext, page: Page, member: User) -> Page:
    """A tab of the member, on no page yet."""
    sign_in(context, site, member)
    return page


def sign_in(context: BrowserContext, site: LiveWeb, user: User) -> None:
    """As the login form does, without filling it in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session.session_key, "url": site.url}])
