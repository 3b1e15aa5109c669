"""Coming in and going out, and what is no workspace's: theme, icon, style sheet and script."""

from django.contrib.auth import views as auth
from django.urls import path

from telemetry.web.account.views import home, icon, theme
from telemetry.web.assets import asset

urlpatterns = [
    path("w/", home, name="home"),
    path("telemetry", home),
    path("telemetry/<path:rest>", home),
    path("telemetry/", home),
    path("account/login/", auth.LoginView.as_view(template_name="web/account/login.html"), name="login"),
    path("account/logout/", auth.LogoutView.as_view(next_page="login"), name="logout"),
    path("account/theme/", theme, name="theme"),
    path("assets/icon.svg", icon, name="icon"),
    path("assets/<str:digest>/mash.<str:kind>", asset, name="asset"),
]
