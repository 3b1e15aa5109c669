"""Accounts, which the operator keeps, and memberships, which each workspace keeps."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from typing_extensions import override

from workspaces import members
from workspaces.admin.access import access_of
from workspaces.admin.base import WorkspaceModelAdmin
from workspaces.admin.filters import WorkspaceFilter
from workspaces.admin.forms import MemberForm, NewMemberForm
from workspaces.bootstrap import add_member
from workspaces.models import Membership, User
from workspaces.roles import Role, Scope

_ABILITIES: Any = {
    "fields": ("is_active", "is_staff", "is_superuser"),
    "description": "Staff may sign in to this admin, where memberships decide what they see. A superuser operates the whole "
    "deployment. To end an account, take away “Active”: what it did stays on record.",
}


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """For superusers alone. Accounts are switched off rather than deleted."""

    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active")
    show_full_result_count = False
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May", _ABILITIES),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """To everybody else there are none: what they may not see must look like what is not there."""
        rows = super().get_queryset(request)
        return rows if access_of(request).is_superuser else rows.none()

    @override
    def has_module_permission(self, request: HttpRequest) -> bool:
        return access_of(request).is_superuser

    @override
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return access_of(request).is_superuser

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Membership)
class MembershipAdmin(WorkspaceModelAdmin):
    view_scope = Scope.MEMBERS_WRITE
    write_scope = Scope.MEMBERS_WRITE
    can_delete = True
    list_display = ("user", "role", "workspace", "may_sign_in", "created_at")
    list_select_related = ("user", "workspace")
    list_filter = ("role", WorkspaceFilter)
    search_fields = ("user__username", "user__email")
    ordering = ("workspace__slug", "user__username")

    @admin.display(boolean=True, description="Admin access")
    def may_sign_in(self, membership: Membership) -> bool:
        return membership.user.is_staff and membership.user.is_active

    @override
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, form=MemberForm if obj else NewMemberForm, **kwargs)
        form.access = access_of(request)
        return form

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["workspace", "user" if obj else "account", "role", "is_staff"]

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["user"] if obj else [])]

    @override
    def save_model(self, request: HttpRequest, obj: Membership, form: "ModelForm[Any]", change: bool) -> None:
        actor, role = access_of(request).actor, Role(form.cleaned_data["role"])
        if change:
            members.change_role(obj, role, actor=actor)
        else:
            obj.pk = add_member(obj.workspace, obj.user, role, actor=actor).pk
        if form.cleaned_data["is_staff"] and not obj.user.is_staff:
            User.objects.filter(pk=obj.user_id).update(is_staff=True)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)

    @override
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except members.LastOwner as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:workspaces_membership_change", args=[object_id]))

    @override
    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.remove_member(obj, actor=access_of(request).actor)


def _may_touch(request: HttpRequest, membership: Membership | None) -> bool:
    """Only owners decide about owners."""
    return membership is None or access_of(request).may_give(membership.role, membership.workspace_id)
