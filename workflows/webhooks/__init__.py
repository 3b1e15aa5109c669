"""Tells other systems that a request or a run has ended: signed, tried again, and written down (Standard Webhooks)."""
