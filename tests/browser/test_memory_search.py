"""Searching memory: from words to the turn and to the trace."""

from playwright.sync_api import Page, expect

from agents.models import Agent
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from workspaces.models import Workspace


def test_memory_is_searched_and_the_trace_opened(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    for number in range(25):
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="talk", message=f"say=word{number:02d}")
    run_requests()
    wanted = workspace.agent_requests.get(message="say=word03")
    signed_in.goto(f"{site.url}/w/{workspace.slug}/memory/")
    signed_in.keyboard.press("/")
    signed_in.keyboard.type("word03")
    signed_in.keyboard.press("Enter")
    hits = signed_in.locator(".hit")
    expect(hits).to_have_count(2)
    expect(hits.first.locator("mark")).to_have_text("word03")
    expect(signed_in).to_have_url(
        f"{site.url}/w/{workspace.slug}/memory/?q=word03&role=any&agent={agent.agent_id}&session=&user=&limit=10"
    )

    hits.first.get_by_role("link", name="Open the turn").click()
    marked = signed_in.locator(".turn:has(:target)")
    expect(marked).to_contain_text("say=word03")
    expect(marked).to_be_in_viewport()
    signed_in.go_back()
    expect(hits).to_have_count(2)

    hits.first.get_by_role("link", name="Open the trace").click()
    expect(signed_in).to_have_url(f"{site.url}/w/{workspace.slug}/requests/{wanted.request_id}/")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("say=word03")
