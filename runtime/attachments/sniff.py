"""What a file is, by its content alone: names and declared types are only claims."""

import zipfile
from io import BytesIO

import puremagic

from runtime.attachments.values import ENDINGS

# How far into a file readers look for a beginning: a PDF may start late, and browsers guess from the first kilobyte.
_WHERE_OTHERS_BEGIN = 1024
_OTHER_BEGINNINGS = (b"%pdf-", b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?php", b"<iframe")


def media_type_of(content: bytes) -> str | None:
    """The media type, or None for what is no image or PDF, or could be taken for something else as well."""
    found = _best_matches(content)
    media_type = next((name for name in ENDINGS if name in found), None)
    if media_type is None or _is_something_else_too(content, media_type):
        return None
    return media_type


def _best_matches(content: bytes) -> set[str]:
    """Types whose signature is the longest that was found, if it stands at the very beginning."""
    if not content:
        return set()
    try:
        matches = puremagic.magic_string(content)
    except puremagic.PureError:
        return set()
    best = [match for match in matches if match.confidence == matches[0].confidence]
    return {match.mime_type for match in best if content.startswith(match.byte_match)}


def _is_something_else_too(content: bytes, media_type: str) -> bool:
    if media_type != "application/pdf":
        beginning = content[:_WHERE_OTHERS_BEGIN].lower()
        if any(mark in beginning for mark in _OTHER_BEGINNINGS):
            return True
    return zipfile.is_zipfile(BytesIO(content))
