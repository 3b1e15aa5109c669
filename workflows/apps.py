from django.apps import AppConfig
from django.conf import settings
from typing_extensions import override


class WorkflowsConfig(AppConfig):
    name = "workflows"

    @override
    def ready(self) -> None:
        from agents.catalogue import offer_tool
        from runtime.drive import drivers
        from runtime.erase_reach import copies
        from runtime.kinds import RequestKind
        from runtime.sweeper import every_second
        from workflows.catalogue import sync_code_workflows
        from workflows.erase import TakenCopies
        from workflows.execute import drive_run
        from workflows.masher.tools import masher_tools
        from workflows.schedules.timers import Look
        from workflows.webhooks.deliver import Send
        from workspaces.bootstrap import furnish_new_workspaces

        if settings.MASH_MASHER_ENABLED:
            for tool in masher_tools():
                offer_tool(tool)
        every_second += [Look(), Send()]
        drivers[RequestKind.WORKFLOW] = drive_run
        copies.append(TakenCopies())
        furnish_new_workspaces(lambda workspace: sync_code_workflows([workspace]))
