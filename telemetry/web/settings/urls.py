"""The tabs of Settings, below `/w/<workspace>/settings/`."""

from django.urls import path

from telemetry.web.settings.audit import audit_trail
from telemetry.web.settings.credentials import change_credential, list_credentials, new_credential, remove
from telemetry.web.settings.invitations import revoke_link
from telemetry.web.settings.members import list_members, manage_member
from telemetry.web.settings.preferences import change_preferences
from telemetry.web.settings.prices import list_prices, new_price, remove_own_price
from telemetry.web.settings.tabs import first_tab
from telemetry.web.settings.tokens import list_tokens, new_token, revoke
from telemetry.web.settings.workspace import workspace_settings

urlpatterns = [
    path("", first_tab, name="settings"),
    path("members/", list_members, name="settings-members"),
    path("members/<int:pk>/", manage_member, name="settings-member"),
    path("members/invitations/<int:pk>/revoke/", revoke_link, name="settings-invitation-revoke"),
    path("tokens/", list_tokens, name="settings-tokens"),
    path("tokens/new/", new_token, name="settings-token-new"),
    path("tokens/<int:pk>/revoke/", revoke, name="settings-token-revoke"),
    path("credentials/", list_credentials, name="settings-credentials"),
    path("credentials/new/", new_credential, name="settings-credential-new"),
    path("credentials/<int:pk>/", change_credential, name="settings-credential"),
    path("credentials/<int:pk>/remove/", remove, name="settings-credential-remove"),
    path("prices/", list_prices, name="settings-prices"),
    path("prices/new/", new_price, name="settings-price-new"),
    path("prices/<int:pk>/remove/", remove_own_price, name="settings-price-remove"),
    path("workspace/", workspace_settings, name="settings-workspace"),
    path("preferences/", change_preferences, name="settings-preferences"),
    path("audit/", audit_trail, name="settings-audit"),
]
