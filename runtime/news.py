"""Tells web processes that a request's log has grown, and sleeping queues that there is work: fire and forget.

News may be lost; whoever needs certainty reads the database. Redis carries them in production, Unix datagrams under the
data directory when everything runs on one machine.
"""

import hashlib
import json
import logging
import os
import socket
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

CHANNEL = "mash:news"
# What fits a Unix datagram everywhere, with room to spare
MAX_FRAMES_BYTES = 64 * 1024
# With the header; a reader that asks for less is given the beginning of a datagram and not told so.
MAX_MESSAGE_BYTES = MAX_FRAMES_BYTES + 1024
# Escaped, a character may take twelve bytes.
MAX_DELTA_CHARACTERS = 4096
# No news of events begin with it.
DELTAS_SIGN = b"~"
_PAUSE_AFTER_FAILURE_S = 1.0
# A socket's path has 107 bytes at most on Linux.
MAX_SOCKET_DIRECTORY = 80
_silent_until = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The log of a request has grown from after `first` to `head`, and so has its session's."""

    request_id: uuid.UUID
    session: str
    """`session_topic` of the request."""
    first: int
    head: int
    is_end: bool = False
    """The event at the head is a terminal one."""
    boundary: int = 0
    """The last of the new events that begins or ends what a model says; 0: none does."""
    frames: bytes = b""
    """The new events as server-sent events, so that a stream need not read them; empty when they are too large."""

    @property
    def workspace_pk(self) -> int:
        return int(self.session.partition(".")[0])

    def as_bytes(self) -> bytes:
        frames = self.frames if len(self.frames) <= MAX_FRAMES_BYTES else b""
        return (
            f"{self.request_id} {self.session} {self.first} {self.head} {self.is_end:d} {self.boundary}\n".encode()
            + frames
        )

    @classmethod
    def from_bytes(cls, message: bytes) -> Self:
        header, _, frames = message.partition(b"\n")
        request_id, session, first, head, is_end, boundary = header.decode().split(" ")
        return cls(
            request_id=uuid.UUID(request_id),
            session=session,
            first=int(first),
            head=int(head),
            is_end=is_end == "1",
            boundary=int(boundary),
            frames=frames,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The next piece of what a model is saying; `offset` counts the characters before it."""

    request_id: uuid.UUID
    trace_id: uuid.UUID | None
    head: int
    """Sequence of the event by which the model was asked."""
    attempt: int
    loop_index: int
    offset: int
    text: str

    def as_list(self) -> list[str | int | None]:
        trace_id = str(self.trace_id) if self.trace_id else None
        return [str(self.request_id), trace_id, self.head, self.attempt, self.loop_index, self.offset, self.text]

    @classmethod
    def from_list(cls, fields: list[Any]) -> Self:
        request_id, trace_id, head, attempt, loop_index, offset, text = fields
        return cls(
            request_id=uuid.UUID(request_id),
            trace_id=uuid.UUID(trace_id) if trace_id else None,
            head=head,
            attempt=attempt,
            loop_index=loop_index,
            offset=offset,
            text=text,
        )

    def in_parts(self) -> list["Delta"]:
        """Parts of which each fits a message."""
        starts = range(0, len(self.text), MAX_DELTA_CHARACTERS)
        return [
            replace(self, offset=self.offset + start, text=self.text[start : start + MAX_DELTA_CHARACTERS])
            for start in starts
        ]


def session_topic(*, workspace_pk: int, agent_pk: int, session_id: str) -> str:
    """A short name for one session of the deployment; the id is free text, so it is hashed."""
    digest = hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"{workspace_pk}.{agent_pk}.{digest}"


def publish(news: News) -> None:
    _send(news.as_bytes())


def publish_deltas(deltas: Sequence[Delta]) -> None:
    """Sends what several models have said, in as few messages as can carry it."""
    parts = [json.dumps(part.as_list()).encode() for delta in deltas for part in delta.in_parts()]
    message = b""
    for part in parts:
        if message and len(message) + len(part) + 1 > MAX_FRAMES_BYTES:
            _send(message)
            message = b""
        message += (b"\n" if message else DELTAS_SIGN) + part
    if message:
        _send(message)


def read_deltas(message: bytes) -> list[Delta]:
    """The deltas of a message; none if it tells of events."""
    if not message.startswith(DELTAS_SIGN):
        return []
    return [Delta.from_list(json.loads(line)) for line in message[len(DELTAS_SIGN) :].split(b"\n")]


def _send(message: bytes) -> None:
    if settings.MASH_REDIS_URL:
        _publish_redis(message)
    else:
        send_datagrams("news", message)


def _publish_redis(message: bytes) -> None:
    """One shared client per process; after a failure news pause for a second, so that nobody waits for a dead server."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        _client(os.getpid()).publish(CHANNEL, message)
    except redis.RedisError as error:
        _silent_until = time.monotonic() + _PAUSE_AFTER_FAILURE_S
        logger.warning("News could not be sent: %s", error, extra={"action": "news.failed"})


@cache
def _client(process_id: int) -> redis.Redis:
    return redis.Redis.from_url(settings.MASH_REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


@cache
def socket_directory() -> Path:
    """Below the data directory; where that path is too long for a socket's name, in a private folder of /tmp."""
    directory = Path(settings.MASH_DATA_DIR) / "sockets"
    if len(os.fspath(directory)) > MAX_SOCKET_DIRECTORY:
        digest = hashlib.sha256(os.fspath(directory).encode()).hexdigest()[:16]
        directory = Path(tempfile.gettempdir()) / f"mash-{os.getuid()}-{digest}"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if directory.stat().st_uid != os.getuid():
        raise PermissionError(f"{directory} belongs to somebody else.")
    return directory


def open_mailbox(kind: str) -> socket.socket:
    """A datagram socket of this process that receives what `send_datagrams(kind, ...)` sends."""
    path = socket_directory() / f"{kind}-{os.getpid()}"
    path.unlink(missing_ok=True)
    mailbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    mailbox.bind(os.fspath(path))
    mailbox.setblocking(False)
    return mailbox


def count_mailboxes(kind: str) -> int:
    """How many processes of this machine hold a mailbox of the kind; named by their pid, it outlives a killed one."""
    return sum(_is_alive(int(path.name.rpartition("-")[2])) for path in socket_directory().glob(f"{kind}-*"))


def send_datagrams(kind: str, message: bytes) -> None:
    """Sends to every mailbox of the kind; a full one already has news, and one that nobody holds is removed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for path in socket_directory().glob(f"{kind}-*"):
            try:
                sender.sendto(message, os.fspath(path))
            except BlockingIOError:
                continue
            except (ConnectionRefusedError, FileNotFoundError):
                path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("News could not be sent to %s: %s", path.name, error)


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it belongs to another user, so it is there
    return True
