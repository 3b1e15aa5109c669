"""Counts tries of names and passwords, so that nobody guesses for long.

A try is counted before it is judged: many at once get no further than one after the other.
"""

import hashlib
import logging
import time

from django.conf import settings
from django.core.cache import BaseCache, caches
from django.http import HttpRequest
from redis.exceptions import RedisError

SPAN_S = 15 * 60
TRIES = 10
"""For one name from one address."""
MOST_TRIES = 100
"""For one name from anywhere, and from one address for any name."""
_SHARED = "shared-tries"

logger = logging.getLogger(__name__)


def take(request: HttpRequest, what: str, name: str) -> int:
    """Counts one try, and gives the seconds to wait if there were too many; 0 lets it through."""
    limits = _limits(request, what, name)
    if _SHARED in settings.CACHES:
        try:
            return _taken(caches[_SHARED], limits)
        except RedisError as error:
            logger.warning("Redis counts no tries (%s); this process counts its own", type(error).__name__)
    return _taken(caches["tries"], limits)


def forget(request: HttpRequest, what: str, name: str) -> None:
    """After a right password: whoever mistyped before begins anew."""
    pair, named, _ = _limits(request, what, name)
    for alias in {"tries", _SHARED} & set(settings.CACHES):
        try:
            caches[alias].delete_many([pair, named])
        except RedisError:
            logger.warning("Redis forgets no tries")


def _taken(cache: BaseCache, limits: dict[str, int]) -> int:
    return max(_wait(cache, key, most) for key, most in limits.items())


def _wait(cache: BaseCache, key: str, most: int) -> int:
    now = int(time.time())
    if cache.add(key, 0, SPAN_S):
        cache.set(f"{key}:until", now + SPAN_S, SPAN_S)
    try:
        spent = cache.incr(key)
    except ValueError:
        # The span has ended between the two calls.
        return 0
    return max(1, cache.get(f"{key}:until", now) - now) if spent > most else 0


def _limits(request: HttpRequest, what: str, name: str) -> dict[str, int]:
    address, name = address_of(request), name.strip().casefold()
    return {
        _key(what, address, name): TRIES,
        _key(what, "", name): MOST_TRIES,
        _key(what, address, ""): MOST_TRIES,
    }


def _key(*parts: str) -> str:
    return f"tries:{hashlib.sha256(repr(parts).encode()).hexdigest()}"


def address_of(request: HttpRequest) -> str:
    """Of the visitor: the proxy that MASH_HTTPS stands for adds it last to what others may have made up."""
    if settings.MASH_HTTPS and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
