"""Sessions while somebody looks at them."""

from playwright.sync_api import Page, expect

from agents.models import Agent
from tests.conftest import Driver
from tests.factories import AgentRequestFactory
from tests.live_web import LiveWeb
from workspaces.models import Workspace


def test_turns_and_rows_come_by_themselves_and_move_nothing(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    def send(words: str) -> None:
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="talk", message=words)

    signed_in.goto(f"{site.url}/w/{workspace.slug}/sessions/")
    expect(signed_in.locator("[data-live-state]")).to_have_text("Live")
    send("say=one")
    begun = signed_in.locator("#turnless").get_by_role("link")
    expect(begun).to_contain_text("waiting")
    run_requests()
    expect(signed_in.locator("#rows tr")).to_contain_text("talk")
    expect(begun).to_have_count(0)

    signed_in.locator("#rows").get_by_role("link", name="talk").click()
    turns = signed_in.locator("#turns > .turn")
    expect(turns).to_have_count(1)
    expect(signed_in.locator("[data-live-state]")).to_have_text("Live")
    first = turns.first.bounding_box()
    send("say=two")
    expect(turns).to_have_count(2)
    expect(turns.nth(1)).to_contain_text("accepted")
    run_requests()
    expect(turns.nth(1).locator(".prose")).to_have_text("two")
    expect(turns).to_have_count(2)
    expect(signed_in.locator("#facts")).to_contain_text("2")
    assert turns.first.bounding_box() == first


def test_earlier_turns_are_put_above_and_a_turn_is_forked(
    signed_in: Page, site: LiveWeb, workspace: Workspace, agent: Agent, run_requests: Driver
) -> None:
    for number in range(23):
        AgentRequestFactory.create(workspace=workspace, agent=agent, session_id="talk", message=f"say=turn{number:02d}")
    run_requests()
    signed_in.goto(f"{site.url}/w/{workspace.slug}/sessions/{agent.agent_id}/talk/")
    turns = signed_in.locator("#turns > .turn")
    expect(turns).to_have_count(20)
    signed_in.get_by_role("link", name="Earlier turns").click()
    expect(turns).to_have_count(23)
    expect(turns.first).to_contain_text("turn00")
    expect(signed_in.get_by_role("link", name="Earlier turns")).to_have_count(0)
    turns.nth(1).get_by_role("button", name="Fork after this").click()
    expect(turns).to_have_count(2)
    expect(signed_in.get_by_role("status")).to_contain_text("a copy of 2 turns")
