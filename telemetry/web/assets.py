"""The pages' one style sheet and one script, put together from the small files in `static/web/`: no build step, two requests.

Their address has a hash of what is in them, so browsers may keep them for ever.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

_WEB = Path(settings.BASE_DIR) / "static" / "web"
_FOLDERS = {"css": _WEB / "css", "js": _WEB / "js"}
_VENDOR = Path(settings.BASE_DIR) / "static" / "vendor"
_TYPES = {"css": "text/css", "js": "text/javascript"}


@dataclass(frozen=True, slots=True)
class Bundle:
    kind: str
    content: bytes
    compressed: bytes
    digest: str

    @property
    def url(self) -> str:
        return reverse("asset", args=[self.digest, self.kind])


def bundle(kind: str) -> Bundle:
    """`css` or `js`; put together once per process, and anew for each page in debug mode."""
    return _put_together(kind) if settings.DEBUG else _kept(kind)


def asset(request: HttpRequest, digest: str, kind: str) -> HttpResponse:
    """Public: it holds nothing of anybody."""
    if kind not in _TYPES:
        raise Http404
    found = bundle(kind)
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(found.compressed if takes_gzip else found.content, content_type=_TYPES[kind])
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    # An older page's hash: what is there now, but not to be kept under that name.
    response["Cache-Control"] = "public, max-age=31536000, immutable" if digest == found.digest else "no-store"
    return response


@lru_cache
def _kept(kind: str) -> Bundle:
    return _put_together(kind)


def _put_together(kind: str) -> Bundle:
    vendored = [_VENDOR / "htmx.min.js", _VENDOR / "hx-sse.min.js"] if kind == "js" else []
    files = [*vendored, *sorted(_FOLDERS[kind].rglob(f"*.{kind}"))]
    content = b"\n".join(file.read_bytes() for file in files)
    compressed = gzip.compress(content, mtime=0)
    return Bundle(kind, content, compressed, hashlib.sha256(content).hexdigest()[:16])
