"""Open by id: what the palette sends when no place of its list is meant, and a page of its own without a script."""

from dataclasses import dataclass

from django.http import HttpResponse

from telemetry.query.lookup import lookup
from telemetry.web.navigation import GROUPS
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope


@dataclass(frozen=True, slots=True)
class Hit:
    kind: str
    name: str
    url: str


@screen("", Scope.SESSIONS_READ)
def go(visit: Visit) -> HttpResponse:
    """`q`: a request, trace, session, agent or interaction id, the beginning of the first two, or a screen's name."""
    text = visit.request.GET.get("q", "").strip()
    hits = [*_screens(visit, text), *_things(visit, text)] if text else []
    if len({hit.url for hit in hits}) == 1:
        return visit.go(hits[0].url)
    return visit.render("web/requests/go.html", {"text": text, "hits": hits}, status=200 if hits or not text else 404)


def _screens(visit: Visit, text: str) -> list[Hit]:
    places = [place for group in GROUPS for place in group.places if visit.may(place.scope)]
    return [
        Hit("Screen", place.title, visit.link(place.name))
        for place in places
        if text.lower() in {place.title.lower(), place.name}
    ]


def _things(visit: Visit, text: str) -> list[Hit]:
    return [
        Hit(found.kind, found.name, visit.link(found.route, *found.arguments))
        for found in lookup(visit.workspace, text)
    ]
