"""What every tab of Settings has in common: its frame, its rows, and the words after a change."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpResponse

from telemetry.web.visit import Visit, screen
from workspaces.errors import MashError
from workspaces.roles import Scope
from workspaces.scoping import only

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    title: str
    scope: Scope

    @property
    def route(self) -> str:
        return f"web:settings-{self.name}"


TABS = (
    Tab("members", "Members", Scope.MEMBERS_WRITE),
    Tab("tokens", "API tokens", Scope.MEMBERS_WRITE),
    Tab("credentials", "Provider keys", Scope.MEMBERS_WRITE),
    Tab("prices", "Prices", Scope.USAGE_READ),
    Tab("workspace", "Workspace", Scope.AGENTS_READ),
    Tab("audit", "Audit trail", Scope.MEMBERS_WRITE),
    Tab("preferences", "Preferences", Scope.AGENTS_READ),
)


class NoSuchRow(MashError):
    code = "NOT_FOUND"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked before something ends for good."""

    title: str
    text: str
    verb: str
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What is shown this once."""

    title: str
    text: str
    about: str
    back: str


@screen("settings", Scope.AGENTS_READ)
def first_tab(visit: Visit) -> HttpResponse:
    return visit.go(visit.link("settings-members" if visit.may(Scope.MEMBERS_WRITE) else "settings-preferences"))


def show(
    visit: Visit,
    tab: str,
    context: Mapping[str, Any],
    *,
    page: str = "",
    partials: Collection[str] = (),
    status: int = 200,
) -> HttpResponse:
    """The tab's page, or another one below it."""
    frame = {
        "tabs": [each for each in TABS if visit.may(each.scope)],
        "tab": next(each for each in TABS if each.name == tab),
    }
    return visit.render(f"web/settings/{page or tab}.html", {**frame, **context}, partials=partials, status=status)


def show_secret(visit: Visit, tab: str, secret: Secret) -> HttpResponse:
    """The answer to the form itself: the secret is in no address, session or cookie, and browsers are told not to keep it."""
    response = show(visit, tab, {"secret": secret}, page="secret")
    response["Cache-Control"] = "no-store"
    return response


def ask(visit: Visit, tab: str, question: Question) -> HttpResponse:
    return show(visit, tab, {"question": question}, page="question")


def change(visit: Visit, url: str, said: str, verb: Callable[[], object]) -> HttpResponse:
    """Calls the verb, and says on the page that follows what became of it."""
    try:
        verb()
    except MashError as error:
        messages.error(visit.request, error.message)
    else:
        messages.success(visit.request, said)
    return visit.go(url)


def row(rows: "QuerySet[Row]", pk: int) -> Row:
    """The row of this workspace."""
    # A number that no database key can have would be an error of the database.
    found = only(rows.filter(pk=pk)) if pk < 2**63 else None
    if found is None:
        raise NoSuchRow("There is nothing here with this number.")
    return found
