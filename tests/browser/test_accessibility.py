"""Every page, held against WCAG by axe, in light and dark, on a wide screen and on a phone."""

from collections.abc import Iterator
from itertools import cycle
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks.ui.routes import pages
from tests.browser.conftest import PATIENCE_MS, sign_in
from tests.live_web import LiveWeb
from tests.pages.walk import furnish
from workspaces.models import User, Workspace

WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 360, "height": 800}
_GRAVE = {"serious", "critical"}
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_OPTIONS = {"resultTypes": ["violations"], "runOnly": _WCAG}
Theme = Literal["light", "dark"]
_THEMES: tuple[tuple[Theme, Theme], ...] = (("light", "dark"), ("dark", "light"))


@pytest.fixture
def tab(browser: Browser, site: LiveWeb, member: User) -> Iterator[Page]:
    """Signed in, and without the content security policy, which would keep axe out."""
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce", bypass_csp=True)
    context.set_default_timeout(PATIENCE_MS)
    sign_in(context, site, member)
    yield context.new_page()
    context.close()


@pytest.mark.timeout(400)
def test_nothing_serious_on_any_page(tab: Page, site: LiveWeb, workspace: Workspace, member: User) -> None:
    """Each page twice, wide and narrow, one of them light and the other dark; what is light on one page is dark on the next."""
    examples = furnish(workspace, member, requests=30)
    addresses = [page.path(examples) for page in pages() if "GET" in page.methods]
    themes = cycle(_THEMES)
    faults = [fault for address in addresses for fault in _faults(tab, f"{site.url}{address}", next(themes))]
    assert not faults, "\n".join(["", *faults])


def _faults(tab: Page, url: str, themes: tuple[Theme, Theme]) -> Iterator[str]:
    if "text/html" not in tab.request.head(url).headers["content-type"]:
        return
    _look(tab, WIDE, themes[0])
    tab.goto(url)
    yield from (f"{url} wide, {themes[0]}: {fault}" for fault in _violations(tab))
    _look(tab, NARROW, themes[1])
    yield from (f"{url} narrow, {themes[1]}: {fault}" for fault in _violations(tab))
    if too_wide := _overflow(tab):
        yield f"{url} is wider than a phone: {too_wide}"


def _look(tab: Page, size: ViewportSize, theme: Theme) -> None:
    tab.set_viewport_size(size)
    tab.emulate_media(color_scheme=theme, reduced_motion="reduce")


def _violations(tab: Page) -> Iterator[str]:
    for violation in Axe().run(tab, options=_OPTIONS).response["violations"]:
        if violation["impact"] in _GRAVE:
            places = [node["html"][:160] for node in violation["nodes"][:3]]
            yield f"{violation['id']} ({len(violation['nodes'])}): {places}"


def _overflow(tab: Page) -> str:
    """What sticks out at the right, if the page scrolls sideways."""
    return str(
        tab.evaluate(
            """() => {
                const wide = document.documentElement.clientWidth;
                if (document.documentElement.scrollWidth <= wide) return "";
                const out = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > wide + 1);
                return `${document.documentElement.scrollWidth} > ${wide}: ` +
                    out.slice(-3).map((e) => e.outerHTML.slice(0, 120)).join(" | ");
            }"""
        )
    )
