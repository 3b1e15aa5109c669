"""The overview in a browser: figures that come after the page, and the present as it changes."""

from playwright.sync_api import Page, expect

from agents.models import Agent
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from workspaces.models import Workspace


def test_the_present_changes_while_one_looks(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="say=earlier please")
    run_requests()
    signed_in.goto(f"{site.url}/w/{workspace.slug}/")
    expect(signed_in.locator("[data-live-state]")).to_have_text("Live")
    expect(signed_in.locator("#cards .tile-value").first).to_have_text("1")
    strip, newest = signed_in.locator("#strip"), signed_in.locator("#rows li")
    expect(strip).to_contain_text("0 queued")
    for number in range(10):
        AgentRequestFactory.create(workspace=workspace, agent=agent, message=f"say=done number {number}")
    expect(strip).to_contain_text("10 queued")
    expect(newest).to_have_count(10)
    expect(newest.first).to_contain_text("number 9")
    run_requests()
    expect(strip).to_contain_text("0 queued")
    expect(newest.first).to_contain_text("completed")
    expect(newest).to_have_count(10)


def test_an_empty_workspace_becomes_an_overview(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent
) -> None:
    signed_in.goto(f"{site.url}/w/{workspace.slug}/")
    expect(signed_in.get_by_role("img", name="Done")).to_have_count(1)
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="the very first")
    expect(signed_in.locator("#rows li")).to_contain_text("the very first")
    expect(signed_in.locator("#cards .tile-value").first).to_have_text("1")
