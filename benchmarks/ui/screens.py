"""`python -m benchmarks.ui.screens`: pictures of every page, in light and dark and on a phone, of a small seeded workspace."""

import argparse
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

from benchmarks.ui.browser import signed_in
from benchmarks.ui.site import History, SeededSqlite
from tests.browser.chromium import chromium

_WIDE: ViewportSize = {"width": 1280, "height": 800}
_NARROW: ViewportSize = {"width": 360, "height": 800}
_LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": _WIDE, "color_scheme": "light"},
    "dark": {"viewport": _WIDE, "color_scheme": "dark"},
    "mobile": {"viewport": _NARROW, "color_scheme": "light"},
}
_SETTLE_MS = 600
_DAYS = 4


def main() -> int:
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options.directory.mkdir(parents=True, exist_ok=True)
    history = History(requests=options.requests, cache=options.cache, small=options.small, days=_DAYS)
    with SeededSqlite(history) as site:
        known = site.facts()["pages"]
        wanted = options.only.split(",") if options.only else list(known)
        pages = {name: known[name] for name in ("overview", *wanted)}
        with chromium() as browser:
            for look in _LOOKS:
                for picture in _pictures(browser, site, pages, look=look, into=options.directory):
                    print(picture, flush=True)
    return 0


def _pictures(browser: Browser, site: SeededSqlite, pages: dict[str, str], *, look: str, into: Path) -> Iterator[str]:
    """One line for each, with what a person should look at first: an answer that is none, an error of a script."""
    context, page = signed_in(browser, site.url, site.password, pages["overview"], **_LOOKS[look])
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    for name, path in pages.items():
        faults.clear()
        taken = _picture(page, site.url + path, into / f"{name}-{look}.png")
        yield " ".join([taken, *faults])
    context.close()


def _picture(page: Page, url: str, file: Path) -> str:
    answer = page.request.head(url)
    if "text/html" not in answer.headers.get("content-type", ""):
        return f"no page {url}"
    page.goto(url)
    page.wait_for_timeout(_SETTLE_MS)
    page.screenshot(path=file, full_page=True)
    return f"{answer.status} {file}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui.screens", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=Path("screens"), help="default: screens/")
    parser.add_argument("--only", default="", metavar="NAME,...", help="names of routes, such as overview,requests")
    parser.add_argument("--requests", type=int, default=400, help="how many the workspace holds")
    parser.add_argument("--small", action="store_true", help="without the long traces")
    parser.add_argument("--cache", type=Path, help="directory in which the seeded database is kept for the next run")
    return parser


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
