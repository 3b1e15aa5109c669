"""The list of requests while it changes."""

from playwright.sync_api import Page, expect

from agents.models import Agent
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from workspaces.models import Workspace


def test_a_request_appears_and_its_row_follows_it(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/")
    expect(signed_in.locator("[data-live-state]")).to_have_text("Live")
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="say=done please")
    row = signed_in.locator("#rows tr")
    expect(row).to_contain_text("accepted")
    run_requests()
    expect(row).to_contain_text("completed")
    expect(row).to_have_count(1)
