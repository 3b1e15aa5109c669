"""How a person likes the pages, in every workspace."""

from dataclasses import asdict

from django.contrib import messages
from django.http import HttpResponse

from telemetry.web.preferences import Preferences
from telemetry.web.settings.forms import PreferencesForm
from telemetry.web.settings.tabs import show
from telemetry.web.visit import Visit, screen
from workspaces.roles import Scope


@screen("settings", Scope.AGENTS_READ, methods=("GET", "POST"))
def change_preferences(visit: Visit) -> HttpResponse:
    form = PreferencesForm(visit.request.POST or None, initial=asdict(visit.preferences))
    if not form.is_valid():
        return show(visit, "preferences", {"form": form})
    response = visit.go(visit.link("settings-preferences"))
    Preferences(**form.cleaned_data).keep(response, is_secure=visit.request.is_secure())
    messages.success(visit.request, "Saved in this browser.")
    return response
