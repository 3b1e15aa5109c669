"""The switch for everything that shows what the log says: with it off, every telemetry route answers 503."""

from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import override

from workspaces.errors import MashError


class ObservabilityDisabled(MashError):
    """The operator has switched telemetry off (`MASH_OBSERVABILITY_ENABLED`)."""

    code = "OBSERVABILITY_DISABLED"
    status = 503


def require_observability() -> None:
    if not settings.MASH_OBSERVABILITY_ENABLED:
        raise ObservabilityDisabled("Telemetry is switched off in this deployment.")


class ObservabilityView(APIView):
    """A view of telemetry: who may not call it learns nothing else first, then the switch is asked."""

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        require_observability()
