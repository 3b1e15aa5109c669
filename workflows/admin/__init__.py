"""This room's pages in the admin; importing this package registers them."""

from workflows.admin import workflows

__all__ = ["workflows"]
