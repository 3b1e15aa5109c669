"""The ground floor's pages in the admin; importing this package registers them."""

from django.contrib import admin
from django.contrib.auth.models import Group

from workspaces.admin import audit, people, tokens, workspaces

__all__ = ["audit", "people", "tokens", "workspaces"]

# What somebody may do is said by memberships alone.
admin.site.unregister(Group)
