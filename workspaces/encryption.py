"""Secrets at rest: Fernet (AES-128-CBC with HMAC-SHA256) under keys from the environment, the first of which encrypts."""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from workspaces.errors import MashError


class UnreadableSecret(MashError):
    """A stored secret was encrypted under a key that MASH_ENCRYPTION_KEYS no longer lists."""

    code = "UNREADABLE_SECRET"
    status = 500


def encrypt(text: str) -> str:
    return _keys(tuple(settings.MASH_ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    try:
        return _keys(tuple(settings.MASH_ENCRYPTION_KEYS)).decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret("A stored secret cannot be read with the configured MASH_ENCRYPTION_KEYS.") from error


def reencrypt(encrypted: str) -> str:
    """The same secret under the first key, for a rotation."""
    return encrypt(decrypt(encrypted))


def is_current(encrypted: str) -> bool:
    """Whether the secret is under the first key already."""
    try:
        _keys(tuple(settings.MASH_ENCRYPTION_KEYS[:1])).decrypt(encrypted.encode())
    except InvalidToken:
        return False
    return True


@lru_cache(maxsize=4)
def _keys(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys])
