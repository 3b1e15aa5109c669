"""Run as a process of its own in a stack's environment: workspace, token, credential and agent for the load."""

import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
    django.setup()
    # Models exist only after Django has been set up.
    from django.utils import timezone

    from agents.definition import AgentDefinition
    from agents.models import Agent
    from agents.versions import save_version
    from workspaces import encryption
    from workspaces.bootstrap import create_workspace
    from workspaces.tokens import issue_token

    actor = "command:benchmarks"
    workspace = create_workspace("bench", "Benchmarks", actor=actor)
    issue_token(workspace, name="Load", actor=actor, secret=os.environ["BENCH_TOKEN"])
    workspace.credentials.create(
        name="scripted",
        kind="anthropic",
        base_url=os.environ["BENCH_MODEL_URL"],
        encrypted_key=encryption.encrypt("sk-scripted-0123456789"),
        created_at=timezone.now(),
    )
    agent = workspace.agents.create(agent_id="echo", role=Agent.Role.SUBAGENT, created_at=timezone.now())
    definition = {
        "display_name": "Echo",
        "provider": "anthropic",
        "model": "claude-haiku-4-5-20251001",
        "credential": "scripted",
        "tools": ["current_time"],
        "max_steps": 100,
    }
    save_version(agent, AgentDefinition.model_validate(definition), actor=actor)


if __name__ == "__main__":
    main()
