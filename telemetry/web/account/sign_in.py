"""Signing in: Django's own view, with a bound on tries."""

from typing import Any

from django.contrib.auth import views as auth
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from typing_extensions import override

from telemetry.web.account import throttle

_WHAT = "sign-in"


class SignIn(auth.LoginView):
    template_name = "web/account/login.html"

    @override
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if wait_s := throttle.take(request, _WHAT, request.POST.get("username", "")):
            return too_many_tries(request, wait_s)
        return super().post(request, *args, **kwargs)

    @override
    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        throttle.forget(self.request, _WHAT, self.request.POST["username"])
        return super().form_valid(form)


@never_cache
def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The admin has no door of its own, so nobody guesses passwords there without a bound."""
    if request.user.is_authenticated and not request.user.is_staff:
        message = f"{request.user.get_username()} may not enter the admin. An owner of a workspace can change that."
        return render(request, "403.html", {"message": message}, status=403)
    return redirect_to_login(request.GET.get("next", "") or reverse("admin:index"), login_url=reverse("login"))


def too_many_tries(request: HttpRequest, wait_s: int) -> HttpResponse:
    response = render(request, "web/account/too_many_tries.html", {"minutes": -(-wait_s // 60)}, status=429)
    response["Retry-After"] = str(wait_s)
    return response
