from django.apps import AppConfig
from typing_extensions import override


class TelemetryConfig(AppConfig):
    name = "telemetry"

    @override
    def ready(self) -> None:
        from runtime.web import when_web_starts
        from telemetry.api_log.writer import writer

        when_web_starts(writer.start)
