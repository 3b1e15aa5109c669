"""Workflows and their runs over HTTP (contract 2.2.9 to 2.2.11)."""
