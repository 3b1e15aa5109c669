"""Tiny files of every kind that may be attached, and some that may not."""

import base64
import zlib

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////"
    "wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
)
WEBP = base64.b64decode("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
ZIP = b"PK\x05\x06" + b"\0" * 18

REFUSED = {
    "nothing": b"",
    "text": b"hello",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "svg after a declaration": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "bitmap": b"BM" + bytes(60),
    "program": b"MZ\x90\0" + bytes(60),
    "zip": ZIP,
    "image that is a page": GIF[:10] + b"/*<html><script>alert(1)</script>",
    "image that is a document": GIF + PDF,
    "image that is an archive": PNG + ZIP,
    "document that is an archive": PDF + ZIP,
    "late document": b"\n" * 10 + PDF,
}


def png_of(size: int) -> bytes:
    """A PNG of exactly so many bytes, as different from others as its size."""
    padding = size - len(PNG) - 12
    body = b"teSt" + bytes(padding)
    chunk = padding.to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return PNG[:33] + chunk + PNG[33:]


def text_of(content: bytes) -> str:
    """The content as JSON carries it."""
    return base64.b64encode(content).decode()
