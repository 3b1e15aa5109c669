from django.apps import AppConfig
from typing_extensions import override


class AgentsConfig(AppConfig):
    name = "agents"

    @override
    def ready(self) -> None:
        from agents.catalogue import sync_code_agents
        from workspaces.bootstrap import furnish_new_workspaces

        furnish_new_workspaces(lambda workspace: sync_code_agents([workspace]))
