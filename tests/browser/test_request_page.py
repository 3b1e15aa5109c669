"""A request's page while the request runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from agents.models import Agent
from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from workspaces.models import Workspace


@contextmanager
def running(run_requests: Driver) -> Iterator[None]:
    """A worker beside the browser."""
    worker = threading.Thread(target=run_requests)
    worker.start()
    try:
        yield
    finally:
        worker.join()


def test_a_slow_request_is_watched_to_its_end(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    sent = AgentRequestFactory.create(workspace=workspace, agent=agent, message="tools=2 latency=0.6 say=finished")
    signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/{sent.request_id}/")
    header = signed_in.locator("#header")
    expect(header).to_contain_text("accepted")
    signed_in.evaluate("window.isSamePage = true")
    signed_in.get_by_role("link", name="Queued").click()
    expect(signed_in.locator("#span")).to_be_visible()
    with running(run_requests):
        expect(header).to_contain_text("running")
        expect(signed_in.locator("#rows rect.open").first).to_be_visible()
        expect(header).to_contain_text("completed")
    assert signed_in.evaluate("window.isSamePage"), "a click on a row patches the page"
    assert signed_in.evaluate("document.activeElement.innerText").endswith("Queued"), "and keeps the place of the focus"
    rows = signed_in.locator("#rows tr")
    live = rows.all_inner_texts()
    signed_in.reload()
    assert [text.split("\n")[0] for text in rows.all_inner_texts()] == [text.split("\n")[0] for text in live]
    assert signed_in.locator("#rows rect.open").count() == 0


def test_time_goes_on_while_a_model_speaks(
    signed_in: Page, site: LiveWeb, workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    words = " ".join(f"word{number}" for number in range(40))
    agent = make_agent(row={"agent_id": "talker"}, model_timeout_s=30)
    sent = AgentRequestFactory.create(workspace=workspace, agent=agent, message=f'trickle=0.1 say="{words}"')
    signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/{sent.request_id}/")
    with running(run_requests):
        expect(signed_in.locator("#live-words")).to_contain_text("word5")
        bar = signed_in.locator("#rows tr").last.locator("rect")
        length = bar.get_attribute("width") or ""
        expect(bar).not_to_have_attribute("width", length)
        expect(signed_in.locator("#header [data-elapsed]")).to_have_text("3 s")
    expect(signed_in.locator("#header")).to_contain_text("completed")


def test_a_lost_connection_comes_back_without_loss(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    sent = AgentRequestFactory.create(workspace=workspace, agent=agent, message="tools=3 latency=0.5 say=finished")
    signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/{sent.request_id}/?view=events")
    with running(run_requests):
        expect(signed_in.locator("#header")).to_contain_text("running")
        signed_in.context.set_offline(True)
        signed_in.wait_for_timeout(1200)
        signed_in.context.set_offline(False)
    expect(signed_in.locator("#header")).to_contain_text("completed")
    sent.refresh_from_db()
    numbers = [item.get_attribute("id") for item in signed_in.locator("#events > li").all()]
    assert numbers == [f"event-{number}" for number in range(1, sent.last_sequence + 1)]
