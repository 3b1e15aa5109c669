"""The Python client of a Mash deployment; it needs no Django."""

from runtime.client.errors import MashHostClientError
from runtime.client.events import RequestEvent
from runtime.client.host import MashClient

__all__ = ["MashClient", "MashHostClientError", "RequestEvent"]
