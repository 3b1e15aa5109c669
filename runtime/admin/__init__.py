"""This room's pages in the admin; importing this package registers them."""

from django.apps import apps
from django.contrib import admin

from runtime.admin import attachments, events, interactions, requests, usage

__all__ = ["attachments", "events", "interactions", "requests", "usage"]

# Whoever may schedule a function may run any code, so the queue has no pages here.
for model in apps.get_app_config("django_q").get_models():
    if admin.site.is_registered(model):
        admin.site.unregister(model)
