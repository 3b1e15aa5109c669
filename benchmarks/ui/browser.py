"""What only a browser can tell: how many requests a view takes, when it stands, and how fast an event shows."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.results import Result, p50_p95, percentile
from benchmarks.ui.prepare import USER
from tests.browser.chromium import chromium

_WATCH_PAINT = """
window.seen = { lcp: 0, cls: 0, inp: 0 };
const watch = (type, take, more) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
watch("largest-contentful-paint", (entry) => { window.seen.lcp = entry.startTime; });
watch("layout-shift", (entry) => { if (!entry.hadRecentInput) window.seen.cls += entry.value; });
watch("event", (entry) => { window.seen.inp = Math.max(window.seen.inp, entry.duration); }, { durationThreshold: 16 });
"""
_WATCH_ROWS = """
window.shown = {};
new MutationObserver((changes) => {
  const now = performance.timeOrigin + performance.now();
  for (const change of changes) for (const node of change.addedNodes)
    if (node.id && !(node.id in window.shown)) window.shown[node.id] = now;
}).observe(document.getElementById("rows"), { childList: true });
"""
_COMMITS, _EVERY_S = 30, 0.4
_SLOW_DOWN = 4


def measure(url: str, password: str, facts: Mapping[str, Any], environment: Mapping[str, str]) -> list[Result]:
    with chromium() as browser:
        return [
            *_views(browser, url, password, facts["pages"]),
            *_paint(browser, url, password, facts),
            *_nodes(browser, url, password, facts["long"]),
            *_arrivals(browser, url, password, facts["pages"], environment),
        ]


def signed_in(
    browser: Browser, url: str, password: str, next_path: str, **settings: Any
) -> tuple[BrowserContext, Page]:
    """By the login form, as people do."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | settings))
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{url}/account/login/?next={next_path}")
    page.fill("input[name=username]", USER)
    page.fill("input[name=password]", password)
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")
    return context, page


def _views(browser: Browser, url: str, password: str, pages: Mapping[str, str]) -> Iterator[Result]:
    """A new profile's first page after the sign-in was the login; so its cache is emptied by a second profile."""
    context, page = signed_in(browser, url, password, pages["overview"])
    cookies = context.cookies()
    context.close()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": c["name"], "value": c["value"], "url": url} for c in cookies])
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name, path, most in (("first view", "requests", 6), ("later view", "sessions", 2)):
        asked.clear()
        page.goto(f"{url}{pages[path]}")
        page.wait_for_timeout(1500)
        network = [address for address in asked if "/stream" not in address and not address.startswith("data:")]
        foreign = [address for address in network if not address.startswith(url)]
        # Cached style sheet and script are told as requests too, and never leave the browser.
        sent = [address for address in network if name == "first view" or "/assets/" not in address]
        yield Result(
            name=f"requests of a {name}",
            budget=f"<= {most}, none to other places",
            value=f"{len(sent)}, {len(foreign)} to other places",
            passed=len(sent) <= most and not foreign,
            note="without the page's one stream",
        )
    context.close()


def _paint(browser: Browser, url: str, password: str, facts: Mapping[str, Any]) -> Iterator[Result]:
    """With the processor slowed down to a quarter."""
    context, page = signed_in(browser, url, password, facts["pages"]["requests"])
    page.add_init_script(_WATCH_PAINT)
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOW_DOWN})
    looked_at = {"list": facts["pages"]["requests"], "overview": facts["pages"]["overview"]}
    if facts["long"]:
        looked_at["trace of 500 spans"] = facts["long"][0]
    for name, path in looked_at.items():
        page.goto(f"{url}{path}")
        page.wait_for_timeout(1000)
        for key in "jjjkk":
            page.keyboard.press(key)
            page.wait_for_timeout(100)
        page.wait_for_timeout(500)
        seen = _value(session, "window.seen")
        yield Result(
            name=f"{name}: LCP, INP, CLS at a quarter of the speed",
            budget="<= 1.0 s, 150 ms, 0.05",
            value=f"{seen['lcp'] / 1000:.2f} s, {seen['inp']:.0f} ms, {seen['cls']:.3f}",
            passed=seen["lcp"] <= 1000 and seen["inp"] <= 150 and seen["cls"] <= 0.05,
            note="INP of the keys j and k",
        )
    context.close()


def _nodes(browser: Browser, url: str, password: str, long_traces: list[str]) -> Iterator[Result]:
    if not long_traces:
        return
    context, page = signed_in(browser, url, password, long_traces[-1])
    page.wait_for_timeout(1000)
    count = _value(context.new_cdp_session(page), "document.getElementsByTagName('*').length")
    yield Result(
        name="DOM nodes of a trace of 2000 spans", budget="<= 6000", value=str(count), passed=int(count) <= 6000
    )
    context.close()


def _arrivals(
    browser: Browser, url: str, password: str, pages: Mapping[str, str], environment: Mapping[str, str]
) -> Iterator[Result]:
    """From the commit of a request's first event, in another process, to its row in the list."""
    context, page = signed_in(browser, url, password, pages["requests"])
    page.goto(f"{url}{pages['requests']}")
    page.wait_for_selector("[data-live-state=open]")
    page.wait_for_timeout(1500)
    session = context.new_cdp_session(page)
    _value(session, f"(() => {{ {_WATCH_ROWS} return 1; }})()")
    command = [sys.executable, "-m", "benchmarks.ui.commits", str(_COMMITS), str(_EVERY_S)]
    told = subprocess.run(command, env=dict(environment), stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    page.wait_for_timeout(3000)
    shown = _value(session, "window.shown")
    commits = [json.loads(line) for line in told.stdout.splitlines()]
    delays = [shown[commit["row"]] / 1000 - commit["at"] for commit in commits if commit["row"] in shown]
    context.close()
    if not delays:
        yield Result(name="event committed to row in browser", budget="p95 <= 500 ms", value="none came", passed=False)
        return
    yield Result(
        name="event committed to row in browser, p50 / p95",
        budget="p95 <= 500 ms",
        value=p50_p95(delays),
        passed=percentile(delays, 0.95) <= 0.5 and len(delays) == len(commits),
        note=f"{len(delays)} of {len(commits)} rows came",
    )


def _value(session: Any, expression: str) -> Any:
    """By the debugger, which no content security policy keeps out."""
    answer = session.send("Runtime.evaluate", {"expression": expression, "returnByValue": True})
    return answer["result"].get("value")
