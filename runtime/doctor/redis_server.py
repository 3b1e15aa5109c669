"""Redis, which carries the queue and the news in production."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import connection

from runtime.doctor.finding import Finding, fail, ok, warn

_PATIENCE_S = 3.0


def examine() -> Iterator[Finding]:
    if settings.MASH_REDIS_URL:
        yield _ask_server()
    elif connection.vendor == "postgresql":
        yield warn(
            "redis",
            "not configured: news travel by Unix sockets in the data directory, which only this machine sees",
            "Set MASH_REDIS_URL when web and workers run on several machines.",
        )
    else:
        yield ok("redis", "not configured: the database holds the queue, Unix sockets carry the news")


def _ask_server() -> Finding:
    url = urlsplit(settings.MASH_REDIS_URL)
    where = f"{url.hostname}:{url.port or 6379}" if url.hostname else url.path
    try:
        with redis.Redis.from_url(
            settings.MASH_REDIS_URL, socket_connect_timeout=_PATIENCE_S, socket_timeout=_PATIENCE_S
        ) as client:
            version = client.info("server")["redis_version"]
    except (redis.RedisError, ValueError) as error:
        advice = "Check MASH_REDIS_URL. Requests are still accepted; workers find them within seconds."
        return fail("redis", f"{where} cannot be reached ({type(error).__name__})", advice)
    return ok("redis", f"{version} at {where}")
