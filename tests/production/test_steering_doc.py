"""Every command of docs/steering.md, run as it is written."""

import argparse
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest
from rest_framework.test import APIClient

from agents.models import Agent
from runtime.models import AgentRequest
from tests.conftest import AgentMaker, Driver, Stepper
from tests.factories import AgentRequestFactory

TEXT = (Path(__file__).resolve().parents[2] / "docs/steering.md").read_text()
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_ASK = 'tools=1 tool=AskUser args={"question": "Which?", "options": ["tea", "coffee"]} say=done'


def examples() -> dict[str, str]:
    """Commands by the comment that stands above each."""
    text = "\n".join(_BLOCK.findall(TEXT))
    parts = re.split(r"^# (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def variables() -> dict[str, str]:
    return dict(re.findall(r'^([A-Z]+)="?([^"\n]*)"?$', _BLOCK.findall(TEXT)[0], re.MULTILINE))


@dataclass
class Story:
    """A request in the state that an example is about, and what its command needs to know."""

    agent: Agent
    run_once: Stepper
    run_requests: Driver
    agent_request: AgentRequest | None = None

    def sent(self, message: str) -> None:
        self.agent_request = AgentRequestFactory.create(
            workspace=self.agent.workspace, agent=self.agent, session_id="s-1", message=message
        )

    def nothing(self) -> None:
        pass

    def queued(self) -> None:
        self.sent("say=hello")

    def asking_for_approval(self) -> None:
        self.sent("tools=1 tool=guarded say=done")
        self.run_once(self.agent_request)

    def asking_to_choose(self) -> None:
        self.sent(_ASK)
        self.run_once(self.agent_request)

    def failed(self) -> None:
        self.sent("fail=400")
        self.run_requests()

    def names(self) -> dict[str, str]:
        row = self.agent_request
        if row is None:
            return {}
        names = {"REQUEST": str(row.request_id), "TRACE": str(row.trace_id)}
        interaction = row.interactions.first()
        return names | ({"INTERACTION": interaction.interaction_id} if interaction else {})


SCENES: dict[str, tuple[Callable[[Story], None], Callable[[Any], bool]]] = {
    "Look at a request": (Story.queued, lambda data: data["status"] == "accepted"),
    "List what an agent is waiting for": (
        Story.asking_for_approval,
        lambda data: data["requests"][0]["pause_reason"] == "interaction",
    ),
    "Cancel a request": (Story.asking_for_approval, lambda data: data["status"] == "cancelled"),
    "Cancel by trace": (Story.asking_for_approval, lambda data: data["status"] == "cancelled"),
    "Let a cancelled or failed request go on": (Story.failed, lambda data: data["run"] == 2),
    "Send its message once more": (Story.failed, lambda data: data["status"] == "accepted"),
    "Say something more important": (Story.asking_for_approval, lambda data: data["status"] == "accepted"),
    "Read the inbox": (Story.asking_for_approval, lambda data: data["interactions"][0]["kind"] == "approval"),
    "Approve a call": (Story.asking_for_approval, lambda data: data["ok"]),
    "Deny a call": (Story.asking_for_approval, lambda data: data["ok"]),
    "Choose among options": (Story.asking_to_choose, lambda data: data["ok"]),
    "Ask for JSON": (Story.nothing, lambda data: data["status"] == "accepted"),
    "Give it ten seconds and three steps": (Story.nothing, lambda data: data["status"] == "accepted"),
}


def test_every_example_has_a_scene() -> None:
    assert set(examples()) == set(SCENES)


@pytest.mark.parametrize("title", SCENES)
def test_an_example_does_what_the_page_says(
    title: str, make_agent: AgentMaker, run_once: Stepper, run_requests: Driver, api_client: APIClient
) -> None:
    prepare, is_as_told = SCENES[title]
    agent = make_agent(row={"agent_id": "assistant", "role": Agent.Role.PRIMARY}, tools=("guarded", "AskUser"))
    story = Story(agent, run_once, run_requests)
    prepare(story)
    answer = curl(api_client, examples()[title], {**variables(), **story.names()})
    assert answer.status_code == 200, answer.content
    assert is_as_told(answer.json()["data"])


def curl(client: APIClient, command: str, names: dict[str, str]) -> Any:
    """Runs the command as a shell and curl would, but in this process. The client brings the token."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-X")
    parser.add_argument("-H", action="append")
    parser.add_argument("-d")
    parser.add_argument("url")
    program, *arguments = shlex.split(Template(command.replace("\\\n", " ")).safe_substitute(names))
    read = parser.parse_args(arguments)
    assert program == "curl"
    assert any(header.startswith("Authorization: Bearer ") for header in read.H)
    path = read.url.removeprefix("http://127.0.0.1:8000")
    if read.d is None and read.X is None:
        return client.get(path)
    assert read.d is None or "Content-Type: application/json" in read.H
    return client.post(path, json.loads(read.d or "{}"), format="json")
