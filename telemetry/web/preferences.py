"""How a person likes the pages: kept in a cookie, so that the first byte has the right theme and nobody asks a database."""

from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse

COOKIE = "mash_preferences"
_YEAR_S = 365 * 24 * 3600
Theme = Literal["system", "light", "dark"]
Density = Literal["compact", "comfortable"]
Shortcuts = Literal["on", "off"]
THEMES: tuple[Theme, ...] = get_args(Theme)
DENSITIES: tuple[Density, ...] = get_args(Density)
SHORTCUTS: tuple[Shortcuts, ...] = get_args(Shortcuts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    theme: Theme = "system"
    density: Density = "compact"
    tz: str = "UTC"
    """An IANA time zone."""
    shortcuts: Shortcuts = "on"
    """Whether single keys do something."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.tz)

    def keep(self, response: HttpResponse, *, is_secure: bool) -> None:
        text = urlencode(asdict(self))
        response.set_cookie(COOKIE, text, max_age=_YEAR_S, samesite="Lax", secure=is_secure, httponly=True)


def look(request: HttpRequest) -> dict[str, Preferences]:
    """For templates of pages inside and outside of workspaces."""
    return {"look": preferences_of(request)}


def preferences_of(request: HttpRequest) -> Preferences:
    return read_preferences(request.COOKIES.get(COOKIE, ""))


@lru_cache(maxsize=1024)
def read_preferences(text: str) -> Preferences:
    """What does not make sense is left out: a cookie may be anybody's."""
    known = {field.name for field in fields(Preferences)}
    told: dict[str, Any] = {
        name: value for name, value in parse_qsl(text[:500]) if name in known and _is_possible(name, value)
    }
    return Preferences(**told)


def _is_possible(name: str, value: str) -> bool:
    if name == "tz":
        return value in time_zones()
    return value in {"theme": THEMES, "density": DENSITIES, "shortcuts": SHORTCUTS}[name]


@lru_cache(maxsize=1)
def time_zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))
