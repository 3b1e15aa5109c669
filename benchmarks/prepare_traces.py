"""Run as a process of its own in a stack's environment: a workspace with traces for Masher, and a token of its own."""

import os

import django

WORKSPACE = "traces"
REQUESTS = 17_500
TARGET = "support"
"""Which has about three in five of them."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
    django.setup()
    # Models exist only after Django has been set up.
    from django.core.management import call_command

    from workspaces.bootstrap import create_workspace
    from workspaces.tokens import issue_token

    actor = "command:benchmarks"
    workspace = create_workspace(WORKSPACE, "Traces", actor=actor)
    issue_token(workspace, name="Load", actor=actor, secret=os.environ["BENCH_TRACES_TOKEN"])
    call_command("mash_seed_demo", workspace=WORKSPACE, requests=REQUESTS, small=True)


if __name__ == "__main__":
    main()
