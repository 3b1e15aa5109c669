"""Every page, held against WCAG by axe, in light and dark, on a wide screen and on a phone."""

from collections.abc import Iterator
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
_ALL_RULES = {"resultTypes": ["violations"]}
# What a theme can change
_COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}


@pytest.fixture
def tab(browser: Browser, site: LiveWeb, member: User) -> Iterator[Page]:
    """Signed in, and without the content security policy, which would keep axe out."""
    context = browser.new_context(viewport=WIDE, color_scheme="light", reduced_motion="reduce", bypass_csp=True)
    context.set_default_timeout(PATIENCE_MS)
    sign_in(context, site, member)
    yield context.new_page()
    context.close()


def test_nothing_serious_on_any_page(tab: Page, site: LiveWeb, workspace: Workspace, member: User) -> None:
    examples = furnish(workspace, member, requests=30)
    addresses = [page.path(examples) for page in pages() if "GET" in page.methods]
    faults = [fault for address in addresses for fault in _faults(tab, f"{site.url}{address}")]
    assert not faults, "\n".join(["", *faults])


def _faults(tab: Page, url: str) -> Iterator[str]:
    _look(tab, WIDE, "light")
    answer = tab.goto(url)
    if answer is None or "text/html" not in answer.headers.get("content-type", ""):
        return
    yield from (f"{url} wide, light: {fault}" for fault in _violations(tab, _ALL_RULES))
    _look(tab, WIDE, "dark")
    yield from (f"{url} wide, dark: {fault}" for fault in _violations(tab, _COLOURS))
    _look(tab, NARROW, "dark")
    yield from (f"{url} narrow, dark: {fault}" for fault in _violations(tab, _ALL_RULES))
    if too_wide := _overflow(tab):
        yield f"{url} is wider than a phone: {too_wide}"


def _look(tab: Page, size: ViewportSize, theme: Literal["light", "dark"]) -> None:
    tab.set_viewport_size(size)
    tab.emulate_media(color_scheme=theme, reduced_motion="reduce")


def _violations(tab: Page, options: dict[str, object]) -> Iterator[str]:
    for violation in Axe().run(tab, options=options).response["violations"]:
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
