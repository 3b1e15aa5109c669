"""Every page and every stream below `/w/<workspace>/`: who may see it, that it answers, and how often it asks the database.

A route whose arguments have no example in `benchmarks/ui/examples.py` fails, so that a new page cannot slip by.
"""

import asyncio
import re

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.ui.routes import ARGUMENT, Page, filled, pages
from telemetry.web.streams import page_streams
from tests.factories import MembershipFactory, UserFactory
from tests.pages.conftest import signed_in
from tests.pages.walk import furnish
from tests.web import Web, wait_until
from workspaces.models import User, Workspace
from workspaces.roles import ROLE_SCOPES, Role

# Statements of web-ui 3.0, by kind of page
BUDGETS = {"list": 8, "detail": 12, "part": 5}
# Three statements say who asks, and these parts need more than two of their own: earlier turns are asked of memory (session,
# turns) and of the runtime (agent, requests, what subagents did); runs need their workflow, and how far the log is.
PARTS_WITH_MORE = {
    "workflows/<str:workflow_id>/#results": 6,
    "sessions/<str:agent_id>/<session_id:session_id>/#earlier": 8,
}
_TARGET = re.compile(r'hx-target(?::inherited)?="#([\w-]+)"')
# Of a row, in the name of a part
_NUMBER = re.compile(r"-\d+$")


@pytest.fixture
def examples(workspace: Workspace, owner: User) -> dict[str, str]:
    return furnish(workspace, owner)


def read_pages() -> list[Page]:
    return [page for page in pages() if "GET" in page.methods]


def test_strangers_find_nothing_and_the_anonymous_are_sent_to_the_login(
    examples: dict[str, str], stranger: Client
) -> None:
    faults = []
    for page in pages():
        path, method = page.path(examples), page.methods[0]
        for client, expected in ((stranger, 404), (Client(), 302)):
            answer = client.generic(method, path)
            goes_to = answer.headers.get("Location", "")
            is_right = answer.status_code == expected and (expected != 302 or goes_to.startswith(reverse("login")))
            faults += [] if is_right else [f"{method} {page.pattern}: {answer.status_code} {goes_to}"]
    assert not faults


def test_another_workspaces_ids_are_not_found(
    examples: dict[str, str], stranger: Client, other_workspace: Workspace
) -> None:
    here = examples | {"workspace": other_workspace.slug}
    faults = []
    for page in pages():
        if set(page.arguments) - {"verb"}:
            answers = {method: stranger.generic(method, page.path(here)).status_code for method in page.methods}
            faults += [f"{method} {page.pattern}: {code}" for method, code in answers.items() if code != 404]
    assert not faults


def test_who_lacks_the_scope_is_told_so(examples: dict[str, str], viewer: Client) -> None:
    faults = []
    for page in pages():
        if page.scope and page.scope not in ROLE_SCOPES[Role.VIEWER]:
            answers = {method: viewer.generic(method, page.path(examples)).status_code for method in page.methods}
            faults += [f"{method} {page.pattern}: {code}" for method, code in answers.items() if code != 403]
    assert not faults


def test_a_viewer_is_shown_no_way_to_what_they_may_not(
    examples: dict[str, str], viewer: Client, visitor: Client
) -> None:
    closed = [page for page in pages() if page.scope and page.scope not in ROLE_SCOPES[Role.VIEWER]]
    closed_paths = {page.path(examples) for page in closed if "GET" in page.methods}
    home = viewer.get(f"/w/{examples['workspace']}/requests/").content.decode()
    assert not closed_paths & set(re.findall(r'href="([^"]+)"', home))
    assert closed_paths <= {page.path(examples) for page in read_pages()}


def test_members_see_every_page_within_its_budget(examples: dict[str, str], visitor: Client) -> None:
    counts, faults = dict[str, int](), list[str]()
    for page in read_pages():
        path = page.path(examples)
        with CaptureQueriesContext(connection) as asked:
            answer = visitor.get(path)
        if answer.status_code not in {200, 302, 303}:
            faults.append(f"{page.pattern}: {answer.status_code}")
        counts[page.pattern] = len(asked)
        counts |= _parts(visitor, page, path, answer.content.decode(errors="replace"))
    assert not faults
    over = {name: count for name, count in counts.items() if count > _most(name)}
    assert not over, f"The budgets are {BUDGETS}."


def _parts(visitor: Client, page: Page, path: str, html: str) -> dict[str, int]:
    """The statements of each part of the page that htmx may ask for."""
    counts = {}
    for target in sorted(set(_TARGET.findall(html))):
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"div#{target}"}
        with CaptureQueriesContext(connection) as asked:
            answer = visitor.get(path, headers=headers)
        is_part = answer.status_code == 200 and b"<html" not in answer.content
        if is_part:
            counts[f"{page.pattern}#{_NUMBER.sub('-N', target)}"] = len(asked)
    return counts


def _most(name: str) -> int:
    return PARTS_WITH_MORE.get(name.removeprefix("w/<slug:workspace>/"), BUDGETS[_kind(name)])


def _kind(name: str) -> str:
    if "#" in name:
        return "part"
    # The trace's budget, for everything that shows one thing with what belongs to it.
    return "detail" if len(ARGUMENT.findall(name)) > 1 else "list"


def test_streams_are_opened_to_members_only(transactional_db: None, workspace: Workspace) -> None:
    member, outsider = UserFactory.create(), UserFactory.create()
    MembershipFactory.create(workspace=workspace, user=member, role=Role.OWNER)
    MembershipFactory.create(user=outsider, role=Role.OWNER)
    examples, faults = furnish(workspace, member), []
    for pattern in [str(entry.pattern) for entry in page_streams]:
        path = filled(pattern, examples)
        for user, expected in ((None, 401), (outsider, 404), (member, 200)):
            status = _status(path, user)
            faults += [] if status == expected else [f"{pattern}, {user}: {status}"]
    assert not faults


def _status(path: str, user: User | None) -> int:
    """What a stream answers first."""
    cookie = signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value if user else ""

    async def ask() -> int:
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
        async with Web().open("GET", path, headers=headers) as answer:
            await wait_until(answer, lambda: bool(answer.status))
        return answer.status

    return asyncio.run(ask())
