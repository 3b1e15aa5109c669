"""The one door for people and programs: tells who is calling, and for which workspace (contract 2.1, design.md 5a)."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.db.models import F, Value
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone

from workspaces.errors import MashError
from workspaces.models import ApiToken, User, Workspace
from workspaces.roles import ROLE_SCOPES, Scope
from workspaces.scoping import only
from workspaces.tokens import digest_of

SAFE_METHODS = frozenset({"GET", "HEAD"})
TOKEN_COOKIE = "mash_api_key"  # noqa: S105  the cookie's name, not a token
USE_NOTED_EVERY = timedelta(minutes=1)
NOTED = "mash.noted"
"""Key of an ASGI scope under which a call's watcher keeps what is found out about it."""


class Unauthorized(MashError):
    code = "UNAUTHORIZED"
    status = 401


class Forbidden(MashError):
    code = "FORBIDDEN"
    status = 403


class WorkspaceRequired(MashError):
    code = "WORKSPACE_REQUIRED"
    status = 400


class WorkspaceNotFound(MashError):
    code = "WORKSPACE_NOT_FOUND"
    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls, in which workspace, and what they may do there."""

    workspace: Workspace
    scopes: frozenset[str]
    user: User | None = None
    token: ApiToken | None = None

    @property
    def name(self) -> str:
        """How the audit trail and idempotency keys call this caller."""
        if self.token:
            return f"token:{self.token.prefix}"
        return self.user.get_username() if self.user else "anonymous"

    def require(self, scope: Scope) -> None:
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope {scope.value}.", details={"scope": scope.value})


def authenticate(request: HttpRequest) -> Principal:
    """The caller of an HTTP request or handshake; raises `Unauthorized` and its kin.

    The first credential that is present decides: a wrong bearer token is not rescued by a right cookie.
    """
    text = presented_token(request)
    return _noted(request, _by_token(text) if text else _by_session(request))


def _noted(request: HttpRequest, principal: Principal) -> Principal:
    """Leaves the caller where whoever watches this call can find it, without asking again."""
    scope = getattr(request, "scope", {})
    if NOTED in scope:
        scope[NOTED]["principal"] = principal
    return principal


def authenticate_by_header(request: HttpRequest) -> Principal:
    """A program that sends its token in a header. Cookies do not count, so that any page's script may be answered."""
    text = _header_token(request)
    if text is None:
        raise Unauthorized("Send an API token: `Authorization: Bearer <token>`.")
    return _by_token(text)


def authenticate_handshake(request: HttpRequest) -> Principal:
    """The caller of a WebSocket, which may change things: a token in a header, or a session from an allowed origin.

    A browser can set no header there, so it names its workspace in the query: `?workspace=<slug>`.
    """
    if text := _header_token(request):
        return _by_token(text)
    user = _session_user(request)
    if user is not None:
        _check_origin(request)
    return _of_member(user, request.GET.get("workspace", ""))


def authenticate_page(request: HttpRequest, slug: str) -> Principal:
    """The person on a page, or a page's stream, below `/w/<slug>/`: by session cookie only, and a member there.

    Whoever changes something from there has passed Django's CSRF check before.
    """
    user = _session_user(request)
    if user is None:
        raise Unauthorized("Sign in first.")
    return _of_member(user, slug)


def presented_token(request: HttpRequest) -> str | None:
    if text := _header_token(request):
        return text
    if request.method in SAFE_METHODS:
        # A cookie travels by itself, so it may read but never change anything.
        return request.COOKIES.get(TOKEN_COOKIE, "").strip() or None
    return None


def _header_token(request: HttpRequest) -> str | None:
    scheme, _, credential = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() in {"bearer", "token"} and credential.strip():
        return credential.strip()
    return request.headers.get("X-API-Key", "").strip() or None


def _by_token(text: str) -> Principal:
    now = timezone.now()
    token = only(ApiToken.rows.select_related("workspace").filter(digest=digest_of(text)))
    if token is None or not token.is_valid(now):
        raise Unauthorized("The API token is not valid: it is unknown, expired or revoked.")
    if token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY:
        token.workspace.tokens.filter(pk=token.pk).update(last_used_at=now)
    return Principal(workspace=token.workspace, scopes=frozenset(token.scopes), token=token)


def _by_session(request: HttpRequest) -> Principal:
    user = _session_user(request)
    if user is not None and request.method not in SAFE_METHODS:
        _check_csrf(request)
    return _of_member(user, request.headers.get("Mash-Workspace", ""))


def _of_member(user: User | None, slug: str) -> Principal:
    if user is None:
        raise Unauthorized("Send an API token: `Authorization: Bearer <token>`.")
    if not slug.strip():
        raise WorkspaceRequired("Name the workspace: in the header Mash-Workspace, or in a WebSocket's query.")
    # With the role, which would be a statement of its own on every page.
    workspace = only(user.workspaces.filter(slug=slug.strip()).annotate(role=_role_of(user)))
    if workspace is None:
        raise WorkspaceNotFound("There is no such workspace.")
    scopes = frozenset(Scope) if user.is_superuser else ROLE_SCOPES[workspace.role]  # type: ignore[attr-defined]  # annotated
    return Principal(workspace=workspace, scopes=scopes, user=user)


def _role_of(user: User) -> "F | Value":
    return Value("") if user.is_superuser else F("memberships__role")


def _session_user(request: HttpRequest) -> User | None:
    if not hasattr(request, "session"):
        # Streams come past Django's middleware.
        SessionMiddleware(_no_response).process_request(request)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active else None


def _no_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        raise Forbidden(f"CSRF check failed: {reason}")


def _check_csrf(request: HttpRequest) -> None:
    check = _CsrfCheck(_no_response)
    check.process_request(request)
    request.csrf_processing_done = False  # type: ignore[attr-defined]  # the views themselves are exempt, so ask again
    check.process_view(request, _no_response, (), {})


def _check_origin(request: HttpRequest) -> None:
    """Any page may open a WebSocket, and the browser adds our cookies: only our own pages and trusted origins may stay."""
    if "Origin" not in request.headers or not _CsrfCheck(_no_response)._origin_verified(request):  # type: ignore[attr-defined]  # not in the stubs
        raise Forbidden("WebSockets from this origin are not allowed.")
