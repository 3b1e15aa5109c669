"""What travels between callers, requests and storage: a file that is sent along, and the reference that remains of it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any, Self

MAX_NAME_CHARACTERS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that comes with the message itself."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An attachment that is stored, under the name that this use of it has; bytes never travel with it."""

    attachment_id: uuid.UUID
    name: str = ""
    media_type: str = ""
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "attachment_id": str(self.attachment_id),
            "name": self.name,
            "media_type": self.media_type,
            "size": self.size,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            attachment_id=uuid.UUID(data["attachment_id"]),
            name=data["name"],
            media_type=data["media_type"],
            size=data["size"],
        )


def plain_name(name: str) -> str:
    """The last part of a path in either style, without characters that would break a header, a terminal or a page."""
    printable = "".join(sign if sign.isprintable() else "_" for sign in name)
    return PureWindowsPath(printable).name.strip(" .")[:MAX_NAME_CHARACTERS]


def file_name(name: str, media_type: str) -> str:
    """A name whose ending tells what the content is, whatever the caller called it."""
    endings = ENDINGS[media_type]
    stem = name or "attachment"
    return stem if stem.lower().endswith(endings) else f"{stem}{endings[0]}"


# The media types that models read, and what files of each are called.
ENDINGS: dict[str, tuple[str, ...]] = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
}
