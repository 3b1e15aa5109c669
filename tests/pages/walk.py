"""A workspace that holds a bit of everything, for tests that walk every page (`benchmarks.ui.routes`)."""

from django.utils import timezone

from benchmarks.ui.examples import examples_in
from telemetry.demo.seed import Wish, seed_demo
from workspaces.models import User, Workspace


def furnish(workspace: Workspace, owner: User, *, requests: int = 60) -> dict[str, str]:
    """Fills the workspace, and gives an example for every argument that a route may have."""
    wish = Wish(requests=requests, days=3, seed=1, now=timezone.now(), long_spans=())
    seed_demo(workspace, wish, progress=lambda _: None)
    return examples_in(workspace, owner)
