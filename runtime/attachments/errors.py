"""What can be wrong with a file that somebody sends."""

from workspaces.api.envelope import InvalidBody, PayloadTooLarge
from workspaces.errors import MashError


class AttachmentNotFound(MashError):
    code = "ATTACHMENT_NOT_FOUND"
    status = 404


class AttachmentQuotaReached(MashError):
    """The workspace keeps as many bytes of attachments as it may."""

    code = "ATTACHMENT_QUOTA_REACHED"
    status = 413


def unknown_attachment(place: list[str]) -> InvalidBody:
    return InvalidBody([{"type": "unknown", "loc": place, "msg": "There is no such attachment; upload it again."}])


def wrong_type(place: list[str]) -> InvalidBody:
    text = "Only PNG, JPEG, GIF and WebP images and PDFs are taken; the content decides, not the name."
    return InvalidBody([{"type": "unsupported_type", "loc": place, "msg": text}])


def too_large(place: list[str], limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"{'.'.join(place)} is larger than {limit} bytes.", details={"loc": place, "limit": limit})
