"""Run as a process of its own: accepts requests one after another, and prints when each was committed."""

import json
import os
import sys
import time

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mashsite.settings")
    django.setup()
    # Models exist only after Django has been set up.
    from benchmarks.ui.prepare import USER, WORKSPACE
    from runtime.accept import Submission, accept_request
    from workspaces.authenticate import Principal
    from workspaces.models import User, Workspace
    from workspaces.roles import Scope

    workspace = Workspace.objects.get(slug=WORKSPACE)
    principal = Principal(workspace=workspace, scopes=frozenset(Scope), user=User.objects.get(username=USER))
    agent = workspace.agents.select_related("current_version").get(agent_id="writer")
    for number in range(int(sys.argv[1])):
        submission = Submission(message=f"message {number}", session_id=f"bench-{os.getpid()}-{number}")
        row = accept_request(principal, agent, submission).agent_request
        sys.stdout.write(json.dumps({"row": f"request-{row.pk}", "at": time.time()}) + "\n")
        sys.stdout.flush()
        time.sleep(float(sys.argv[2]))


if __name__ == "__main__":
    main()
