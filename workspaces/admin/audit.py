"""The audit trail, for whoever manages the workspace."""

import json

from django.contrib import admin

from workspaces.admin.keyset import KeysetAdmin
from workspaces.models import AuditEntry
from workspaces.roles import Scope


@admin.register(AuditEntry)
class AuditEntryAdmin(KeysetAdmin):
    view_scope = Scope.MEMBERS_WRITE
    list_display = ("at", "actor", "action", "target", "summary")
    fields = ("workspace", "at", "actor", "action", "target", "details")

    @admin.display(description="Details")
    def summary(self, entry: AuditEntry) -> str:
        return json.dumps(entry.details, ensure_ascii=False)[:200] if entry.details else ""
