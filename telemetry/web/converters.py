"""Parts of addresses that Django has no converter for."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class SessionIdConverter(StringConverter):
    """Whatever a caller has chosen: slashes, and lines too, which `path` does not take."""

    regex = "(?s:.+)"


register_converter(SessionIdConverter, "session_id")
