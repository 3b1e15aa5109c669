"""Run as a process of its own in a stack's environment: `prepare seed N [--small]` and `prepare facts`, which prints JSON."""

import json
import os
import sys

import django

WORKSPACE = "demo"
USER = "reader"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
    django.setup()
    {"seed": _seed, "facts": _facts}[sys.argv[1]]()


def _seed() -> None:
    from django.core.management import call_command

    call_command("mash_seed_demo", "--workspace", WORKSPACE, "--requests", *sys.argv[2:])


def _facts() -> None:
    """Lets the reader in, with the password of this run, and tells what there is to look at."""
    # Models exist only after Django has been set up.
    from benchmarks.ui.examples import examples_in
    from benchmarks.ui.routes import pages
    from workspaces.bootstrap import add_member
    from workspaces.models import User, Workspace
    from workspaces.roles import Role

    workspace = Workspace.objects.get(slug=WORKSPACE)
    user, _ = User.objects.get_or_create(username=USER, defaults={"is_staff": True})
    user.set_password(os.environ["BENCH_PASSWORD"])
    user.save()
    add_member(workspace, user, Role.OWNER, actor="command:benchmarks")
    examples = examples_in(workspace, user)
    readable = [page for page in pages() if "GET" in page.methods]
    long_ones = workspace.agent_requests.filter(last_sequence__gt=1500).order_by("last_sequence")
    facts = {
        "requests": workspace.agent_requests.count(),
        "events": workspace.events.count(),
        "pages": {page.name: page.path(examples) for page in readable},
        "details": [page.name for page in readable if page.arguments],
        "long": [f"/w/{WORKSPACE}/requests/{row.request_id}/" for row in (long_ones.first(), long_ones.last()) if row],
    }
    sys.stdout.write(json.dumps(facts))


if __name__ == "__main__":
    main()
