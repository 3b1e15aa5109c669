"""`manage.py mash_worker`: runs requests."""

import logging
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, connections
from django_q.signals import post_spawn
from typing_extensions import override

from agents.llm.catalogue import load_adapters
from agents.models import AgentVersion
from runtime.cluster import run_cluster
from runtime.worker import start_engine

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Run requests until stopped. SIGTERM lets running steps finish for MASH_DRAIN_SECONDS; what is left goes on elsewhere.\n"
        "Example: MASH_WORKER_PROCESSES=4 manage.py mash_worker\n"
        "Exit codes: 0 stopped in good order, 1 the cluster died."
    )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        _load_providers()
        post_spawn.connect(start_engine, dispatch_uid="runtime.worker")
        run_cluster()


def _load_providers() -> None:
    """Imports what the deployment's agents use, before the workers are forked; then lets go of the database."""
    try:
        load_adapters(
            AgentVersion.rows.filter(current_for__is_enabled=True, current_for__is_gone=False).values_list(
                "definition__provider", flat=True
            )
        )
    except Error as error:
        logger.warning("Providers are loaded on first use: %s", error, extra={"action": "worker.unprepared"})
    connections.close_all()
