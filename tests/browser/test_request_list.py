"""The list of requests while it changes."""

import re

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


def test_a_row_is_peeked_at_and_rows_that_come_too_fast_wait(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent
) -> None:
    AgentRequestFactory.create(workspace=workspace, agent=agent, message="what is it?")
    signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/")
    expect(signed_in.locator("[data-live-state]")).to_have_text("Live")
    expect(signed_in.locator("#histogram")).to_contain_text("1 request")
    signed_in.locator("#rows td.number").first.click()
    expect(signed_in.locator("#peek")).to_contain_text("what is it?")
    expect(signed_in).to_have_url(re.compile("peek="))
    signed_in.go_back()
    expect(signed_in.locator("#peek")).to_be_hidden()
    signed_in.go_forward()
    expect(signed_in.locator("#peek")).to_contain_text("what is it?")
    signed_in.keyboard.press("Escape")
    expect(signed_in.locator("#peek")).to_be_hidden()
    signed_in.locator("h1").click()
    for _ in range(90):
        AgentRequestFactory.create(workspace=workspace, agent=agent)
    pill, rows = signed_in.locator("#fresh-rows"), signed_in.locator("#rows tr")
    expect(pill).to_contain_text("new rows")
    expect(rows).not_to_have_count(91)
    # The last of them may still be on their way, and wait behind the pill anew.
    for _ in range(100):
        if rows.count() == 91:
            break
        if pill.is_visible():
            pill.click()
        signed_in.wait_for_timeout(100)
    expect(rows).to_have_count(91)


def test_a_filter_is_in_the_address_and_back_leads_to_it(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent
) -> None:
    for message in ("a lost parcel", "a broken cup"):
        AgentRequestFactory.create(workspace=workspace, agent=agent, message=message)
    signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/")
    rows = signed_in.locator("#rows tr")
    expect(rows).to_have_count(2)
    signed_in.get_by_label("Search").fill('"lost parcel"')
    signed_in.keyboard.press("Enter")
    expect(rows).to_have_count(1)
    expect(signed_in).to_have_url(re.compile(r"q=%22lost\+parcel%22|q=%22lost%20parcel%22"))
    filtered = signed_in.url
    rows.get_by_role("link").first.click()
    expect(signed_in).to_have_url(re.compile(r"/requests/[0-9a-f-]{36}/"))
    signed_in.go_back()
    expect(signed_in).to_have_url(filtered)
    expect(rows).to_have_count(1)
    signed_in.go_back()
    expect(rows).to_have_count(2)
    expect(signed_in.get_by_label("Search")).to_have_value("")
    signed_in.go_forward()
    expect(rows).to_have_count(1)
    elsewhere = signed_in.context.new_page()
    elsewhere.goto(filtered)
    expect(elsewhere.locator("#rows tr")).to_contain_text("a lost parcel")
