"""Opening an invitation: who is signed in joins after a word, who is new makes an account first."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from workspaces.errors import MashError
from workspaces.invitations import accept_invitation, find_invitation
from workspaces.models import Invitation, User

if TYPE_CHECKING:
    # Generic in the stubs only.
    AccountForm = UserCreationForm[User]
else:
    AccountForm = UserCreationForm


class NewAccountForm(AccountForm):
    email = forms.EmailField(required=False, label="E-mail", help_text="For a new password, if you forget this one.")

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")
        labels = {"username": "Name"}


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    try:
        invitation = find_invitation(secret)
        if request.user.is_authenticated:
            return _join_as(request, invitation, request.user)
        return _join_anew(request, invitation)
    except MashError as error:
        return render(request, "web/account/closed.html", {"message": error.message}, status=error.status)


def _join_as(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    is_member = invitation.workspace.memberships.filter(user=user).exists()
    if request.method == "POST" and not is_member:
        accept_invitation(invitation, user)
        return redirect("web:overview", invitation.workspace.slug)
    return render(request, "web/account/join.html", {"invitation": invitation, "is_member": is_member})


def _join_anew(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = NewAccountForm(request.POST or None, initial={"email": invitation.email})
    if not form.is_valid():
        return render(request, "web/account/join.html", {"invitation": invitation, "form": form})
    user: User = form.save(commit=False)
    accept_invitation(invitation, user)
    login(request, user)
    return redirect("web:overview", invitation.workspace.slug)
