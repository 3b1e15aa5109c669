"""`manage.py mash_worker`: runs requests."""

from typing import Any

from django.core.management.base import BaseCommand
from django_q.signals import post_spawn
from typing_extensions import override

from runtime.cluster import run_cluster
from runtime.worker import start_engine


class Command(BaseCommand):
    help = (
        "Run requests until stopped. SIGTERM lets running steps finish for MASH_DRAIN_SECONDS; what is left goes on elsewhere.\n"
        "Example: MASH_WORKER_PROCESSES=4 manage.py mash_worker\n"
        "Exit codes: 0 stopped in good order, 1 the cluster died."
    )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        post_spawn.connect(start_engine, dispatch_uid="runtime.worker")
        run_cluster()
