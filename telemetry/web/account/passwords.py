"""A new password: for who knows the old one, and for who has a link."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from typing_extensions import override

from telemetry.web.account import mail, throttle
from telemetry.web.account.sign_in import too_many_tries
from workspaces.models import User
from workspaces.passwords import reset_tokens


@method_decorator(never_cache, name="dispatch")
class ChangePassword(auth.PasswordChangeView):
    template_name = "web/account/change_password.html"
    success_url = reverse_lazy("home")

    @override
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever finds an open browser does not guess the old password in it either."""
        if wait_s := throttle.take(request, "change-password", str(request.user.pk)):
            return too_many_tries(request, wait_s)
        return super().post(request, *args, **kwargs)

    @override
    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, "Your password is changed; other browsers are signed out.")
        return super().form_valid(form)


class AskForReset(auth.PasswordResetView):
    """Says the same whether there is such an account or not."""

    template_name = "web/account/ask_for_reset.html"
    subject_template_name = "web/account/reset_subject.txt"
    email_template_name = "web/account/reset_mail.txt"
    token_generator = reset_tokens
    success_url = reverse_lazy("password-reset-sent")
    extra_context = {"is_set_up": mail.is_set_up}

    @override
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not mail.is_set_up():
            return self.get(request, *args, **kwargs)
        if wait_s := throttle.take(request, "reset", request.POST.get("email", "")):
            return too_many_tries(request, wait_s)
        return super().post(request, *args, **kwargs)


class SetPassword(auth.PasswordResetConfirmView):
    template_name = "web/account/set_password.html"
    token_generator = reset_tokens
    reset_url_token = "new"  # noqa: S105  a word of the address: Django keeps the link's token in the session
    success_url = reverse_lazy("login")

    @override
    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        messages.success(self.request, "Your password is set. Sign in with it.")
        return super().form_valid(form)


def reset_link(request: HttpRequest, user: User, token: str) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return request.build_absolute_uri(reverse("password-reset-confirm", args=[uid, token]))
