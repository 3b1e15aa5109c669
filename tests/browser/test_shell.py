"""Finding one's way: by keyboard alone, without JavaScript, and only in one's own workspaces."""

from playwright.sync_api import Browser, BrowserContext, Page, expect

from agents.models import Agent
from tests.browser.conftest import sign_in
from tests.conftest import Driver
from tests.factories import AgentRequestFactory, MembershipFactory
from tests.live_web import LiveWeb
from workspaces.models import User, Workspace


def test_everything_is_reached_by_keyboard(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    for words in ("say=first", "say=second"):
        AgentRequestFactory.create(workspace=workspace, agent=agent, message=words)
    run_requests()
    keyboard = signed_in.keyboard
    signed_in.goto(f"{site.url}/w/{workspace.slug}/usage/")
    keyboard.press("Tab")
    expect(signed_in.get_by_role("link", name="Skip to the content")).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("g")
    keyboard.press("r")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Requests")
    keyboard.press("j")
    expect(signed_in.locator("#rows tr").nth(0).get_by_role("link").first).to_be_focused()
    keyboard.press("j")
    expect(signed_in.locator("#rows tr").nth(1).get_by_role("link").first).to_be_focused()
    keyboard.press("?")
    expect(signed_in.get_by_role("dialog", name="Keyboard")).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("Control+k")
    keyboard.type("sess")
    keyboard.press("Enter")
    expect(signed_in).to_have_url(f"{site.url}/w/{workspace.slug}/sessions/")


def test_without_javascript_one_signs_in_filters_and_chooses_a_theme(
    site: LiveWeb, browser: Browser, workspace: Workspace, member: User, agent: Agent, run_requests: Driver
) -> None:
    member.set_password("open the door")
    member.save()
    for words in ("say=one", "fail=400:9"):
        AgentRequestFactory.create(workspace=workspace, agent=agent, message=words)
    run_requests()
    with browser.new_context(java_script_enabled=False, color_scheme="light") as context:
        page = context.new_page()
        page.goto(f"{site.url}/w/{workspace.slug}/requests/")
        page.get_by_label("Name").fill(member.get_username())
        page.get_by_label("Password").fill("open the door")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#rows tr")).to_have_count(2)
        page.get_by_role("link", name="Errors", exact=True).click()
        expect(page.locator("#rows tr")).to_have_count(1)
        expect(page.locator("#rows tr")).to_contain_text("failed")
        page.go_back()
        expect(page.locator("#rows tr")).to_have_count(2)
        page.get_by_role("button", name="Dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page).to_have_url(f"{site.url}/w/{workspace.slug}/requests/")


def test_another_workspace_is_one_click_away_and_shows_nothing_of_this_one(
    signed_in: Page,
    context: BrowserContext,
    site: LiveWeb,
    workspace: Workspace,
    other_workspace: Workspace,
    member: User,
) -> None:
    MembershipFactory.create(workspace=other_workspace, user=member)
    secret = AgentRequestFactory.create(workspace=workspace, message="for this workspace only")
    signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/")
    expect(signed_in.locator("#rows")).to_contain_text("for this workspace only")
    signed_in.locator(".switcher summary").click()
    signed_in.locator(".switcher").get_by_role("link", name=other_workspace.name).click()
    expect(signed_in).to_have_url(f"{site.url}/w/{other_workspace.slug}/")
    signed_in.goto(f"{site.url}/w/{other_workspace.slug}/requests/")
    expect(signed_in.locator("body")).not_to_contain_text("for this workspace only")
    answer = signed_in.goto(f"{site.url}/w/{other_workspace.slug}/requests/{secret.request_id}/")
    assert answer is not None
    assert answer.status == 404
    membership = workspace.memberships.get(user=member)
    membership.delete()
    sign_in(context, site, member)
    gone = signed_in.goto(f"{site.url}/w/{workspace.slug}/requests/")
    assert gone is not None
    assert gone.status == 404
