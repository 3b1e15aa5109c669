"""The inbox while agents ask and people answer."""

from playwright.sync_api import Page, expect

from tests.conftest import AgentMaker, Driver
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from workspaces.models import Workspace


def test_a_question_appears_and_is_answered_in_place(
    signed_in: Page, site: LiveWeb, workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    agent = make_agent(tools=("guarded",))
    signed_in.goto(f"{site.url}/w/{workspace.slug}/inbox/")
    expect(signed_in.locator("[data-live-state]")).to_have_text("Live")
    message = 'tools=1 tool=guarded args={"text": "precious"} say=done'
    sent = AgentRequestFactory.create(workspace=workspace, agent=agent, message=message)
    run_requests()
    asked = signed_in.locator(".question")
    badge = signed_in.locator("#inbox-count")
    expect(badge).to_have_text("1")
    expect(asked).to_contain_text("precious")
    expect(asked.locator("[data-left]")).to_have_text("4m 55s", timeout=15_000)
    asked.get_by_label("Note to the agent").fill("go on")
    asked.get_by_role("button", name="Approve").click()
    expect(asked).to_contain_text("Approved by ada")
    expect(asked).to_contain_text("go on")
    run_requests()
    sent.refresh_from_db()
    assert sent.status == "completed"
    expect(badge).to_be_hidden()
    expect(asked).to_have_count(1)
