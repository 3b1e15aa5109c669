from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.models.signals import pre_delete
from typing_extensions import override


class AgentsConfig(AppConfig):
    name = "agents"

    @override
    def ready(self) -> None:
        from agents.catalogue import sync_code_agents
        from agents.tools import leftovers, supervise
        from workspaces.bootstrap import furnish_new_workspaces
        from workspaces.models import Workspace

        leftovers.report_to(leftovers.directory_in(settings.MASH_DATA_DIR))
        # A tool's thread is not used again, and its connections with it.
        supervise.at_the_end_of_threads(connections.close_all)
        furnish_new_workspaces(lambda workspace: sync_code_agents([workspace]))
        # A workspace is deleted by Django alone, whose cascade ends at the border of a database.
        pre_delete.connect(_erase_memory, sender=Workspace, dispatch_uid="agents.memory")


def _erase_memory(instance: Any, **_: Any) -> None:
    from agents.memory.erase import erase_memory_of

    erase_memory_of(instance)
