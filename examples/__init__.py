"""Hosts to run, read and copy; the platform itself never imports them."""
