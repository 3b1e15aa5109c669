"""Coming in and going out, and what is no workspace's: theme, icon, style sheet and script."""

from django.contrib.auth import views as auth
from django.urls import path
from django.views.generic import TemplateView

from telemetry.web.account.join import join
from telemetry.web.account.passwords import AskForReset, ChangePassword, SetPassword
from telemetry.web.account.sign_in import SignIn
from telemetry.web.account.views import home, icon, theme
from telemetry.web.assets import asset

urlpatterns = [
    path("w/", home, name="home"),
    path("telemetry", home),
    path("telemetry/<path:rest>", home),
    path("telemetry/", home),
    path("account/login/", SignIn.as_view(), name="login"),
    path("account/logout/", auth.LogoutView.as_view(next_page="login"), name="logout"),
    path("account/password/", ChangePassword.as_view(), name="password-change"),
    path("account/reset/", AskForReset.as_view(), name="password-reset"),
    path(
        "account/reset/sent/",
        TemplateView.as_view(template_name="web/account/reset_sent.html"),
        name="password-reset-sent",
    ),
    path("account/reset/<uidb64>/<token>/", SetPassword.as_view(), name="password-reset-confirm"),
    path("account/join/<str:secret>/", join, name="join"),
    path("account/theme/", theme, name="theme"),
    path("assets/icon.svg", icon, name="icon"),
    path("favicon.ico", icon),
    path("assets/<str:digest>/mash.<str:kind>", asset, name="asset"),
]
