"""DRF's view of the door: every API call has a principal, and every view names the scope that it needs."""

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from typing_extensions import override

from workspaces.authenticate import Forbidden, Principal, authenticate
from workspaces.models import User
from workspaces.roles import Scope

if TYPE_CHECKING:
    # DRF imports this file while it imports its views.
    from rest_framework.views import APIView


class MashAuthentication(BaseAuthentication):
    """API token or session cookie; `request.auth` is the `Principal`."""

    @override
    def authenticate(self, request: Request) -> tuple[User | None, Principal]:
        principal = authenticate(request._request)
        return principal.user, principal

    @override
    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """Denies what the principal's scopes do not allow, and every method for which a view names no scope."""

    @override
    def has_permission(self, request: Request, view: "APIView") -> bool:
        scopes: dict[str, Scope] = getattr(view, "required_scopes", {})
        scope = scopes.get("GET" if request.method == "HEAD" else str(request.method))
        if scope is None:
            if request.method not in view.allowed_methods:
                raise MethodNotAllowed(str(request.method))
            raise Forbidden("No scope allows this call.")
        principal_of(request).require(scope)
        return True


def principal_of(request: Request) -> Principal:
    principal: Any = request.auth
    assert isinstance(principal, Principal)  # noqa: S101  MashAuthentication set it, or raised
    return principal
