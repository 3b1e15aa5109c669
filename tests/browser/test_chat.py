"""Talking to an agent: its words as they are said, stopping it, and answering what it asks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.conftest import AgentMaker, Driver
from tests.live_web import LiveWeb
from workspaces.models import Workspace

WORDS = " ".join(f"word{n}" for n in range(30))


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Does it in a thread while the browser looks on."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)


def test_an_answer_appears_while_it_is_said_and_is_stopped(
    signed_in: Page, site: LiveWeb, workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(row={"agent_id": "talker"}, model_timeout_s=30)
    signed_in.goto(f"{site.url}/w/{workspace.slug}/chat/talker/")
    box = signed_in.get_by_label("Message to talker")
    box.fill("say=**first**")
    box.press("Enter")
    expect(signed_in.locator(".exchange")).to_contain_text("accepted")
    run_requests()
    expect(signed_in.locator(".by-answer strong")).to_have_text("first")
    expect(signed_in.get_by_role("button", name="Stop")).to_have_count(0)
    box = signed_in.get_by_label("Message to talker")
    box.fill(f'trickle=0.1 say="{WORDS}"')
    signed_in.get_by_role("button", name="Send").click()
    expect(signed_in.locator(".exchange")).to_have_count(2)
    with beside(run_requests):
        last = signed_in.locator(".exchange").nth(1)
        expect(last.locator(".saying")).to_contain_text("word3 word4 word5")
        last.get_by_role("button", name="Stop").click()
        expect(signed_in.locator(".exchange").nth(1)).to_contain_text("Stopped by ada", timeout=15_000)
    assert workspace.agent_requests.order_by("-pk")[0].status == "cancelled"


def test_a_tool_is_approved_from_the_chat(
    signed_in: Page, site: LiveWeb, workspace: Workspace, make_agent: AgentMaker, run_requests: Driver
) -> None:
    make_agent(row={"agent_id": "careful"}, tools=("guarded",))
    signed_in.goto(f"{site.url}/w/{workspace.slug}/chat/careful/")
    signed_in.get_by_label("Message to careful").fill('tools=1 tool=guarded args={"text": "precious"} say=done')
    signed_in.get_by_role("button", name="Send").click()
    expect(signed_in.locator(".exchange")).to_have_count(1)
    run_requests()
    asked = signed_in.locator(".by-question")
    expect(asked).to_contain_text("careful wants to run guarded")
    expect(asked).to_contain_text("precious")
    asked.get_by_role("button", name="Approve").click()
    expect(asked).to_contain_text("Approved by ada")
    run_requests()
    expect(signed_in.locator(".by-answer")).to_contain_text("done")
    expect(signed_in.locator(".by-tool")).to_contain_text("guarded")
