from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_delete
from typing_extensions import override


class AgentsConfig(AppConfig):
    name = "agents"

    @override
    def ready(self) -> None:
        from agents.catalogue import sync_code_agents
        from workspaces.bootstrap import furnish_new_workspaces
        from workspaces.models import Workspace

        furnish_new_workspaces(lambda workspace: sync_code_agents([workspace]))
        # A workspace is deleted by Django alone, whose cascade ends at the border of a database.
        pre_delete.connect(_erase_memory, sender=Workspace, dispatch_uid="agents.memory")


def _erase_memory(instance: Any, **_: Any) -> None:
    from agents.memory.erase import erase_memory_of

    erase_memory_of(instance)
