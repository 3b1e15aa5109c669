"""Headers and query parameters of the runtime's API, written down for OpenAPI."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from runtime.kinds import Status

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Up to 255 characters. The same key and body within a day answer the same request.",
)
PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`wait=30` holds the answer until the request has ended, at most 60 seconds.",
)
LIMIT = OpenApiParameter("limit", OpenApiTypes.INT, description="How many rows to answer at most.")
CURSOR = OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` of the page before.")
REQUEST_FILTERS = [
    OpenApiParameter("status", OpenApiTypes.STR, enum=Status.values),
    OpenApiParameter("session_id", OpenApiTypes.STR),
    OpenApiParameter("user", OpenApiTypes.STR),
    OpenApiParameter("since", OpenApiTypes.NUMBER, description="Accepted at or after this time, in Unix seconds."),
    OpenApiParameter("until", OpenApiTypes.NUMBER, description="Accepted before this time, in Unix seconds."),
    LIMIT,
    CURSOR,
]
