from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from typing_extensions import override


class AgentsConfig(AppConfig):
    name = "agents"

    @override
    def ready(self) -> None:
        from agents.catalogue import sync_code_agents
        from agents.tools import leftovers, supervise
        from workspaces.bootstrap import furnish_new_workspaces

        leftovers.report_to(leftovers.directory_in(settings.MASH_DATA_DIR))
        # A tool's thread is not used again, and its connections with it.
        supervise.at_the_end_of_threads(connections.close_all)
        furnish_new_workspaces(lambda workspace: sync_code_agents([workspace]))
