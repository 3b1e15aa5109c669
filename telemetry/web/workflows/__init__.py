"""Workflows and their runs (web-ui 3.6). A run's own page is its request's."""
