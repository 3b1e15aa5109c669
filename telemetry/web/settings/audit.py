"""Who changed what, and when."""

from django.http import HttpResponse

from telemetry.query.pages import newest_page
from telemetry.web.settings.tabs import show
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope

_PAGE_SIZE = 50


@screen("settings", Scope.MEMBERS_WRITE)
def audit_trail(visit: Visit) -> HttpResponse:
    entries, chosen = visit.workspace.audit_entries.all(), visit.request.GET.dict()
    asked = {name: chosen[name].strip()[:200] for name in ("actor", "action") if chosen.get(name, "").strip()}
    if "actor" in asked:
        entries = entries.filter(actor=asked["actor"])
    if "action" in asked:
        entries = entries.filter(action__startswith=asked["action"])
    page = newest_page(entries, chosen.get("cursor", ""), size=_PAGE_SIZE)
    return show(visit, "audit", {"page": page, "asked": asked}, partials={"results"})
