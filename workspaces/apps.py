from importlib import import_module

from django.apps import AppConfig
from typing_extensions import override


class WorkspacesConfig(AppConfig):
    name = "workspaces"

    @override
    def ready(self) -> None:
        # drf-spectacular registers an extension when its class is made.
        import_module("workspaces.api.openapi")
